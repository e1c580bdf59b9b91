-- +goose Up
-- One message that leaves the house. Ids and codes: the address and the text are made at the moment of sending.
CREATE TABLE delivery (
    county_code     text NOT NULL,
    id              text NOT NULL,
    account_id      text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    patient_id      text NOT NULL,
    channel         text NOT NULL,
    template        text NOT NULL,
    language        text NOT NULL,
    entry_id        text NOT NULL,
    alarm_id        text NOT NULL,
    fact_id         text NOT NULL,
    event           text NOT NULL,
    referral_id     text NOT NULL,
    referral_number text NOT NULL,
    booking_id      text NOT NULL,
    urgency         text NOT NULL,
    step            text NOT NULL,
    ring            integer NOT NULL,
    digest          boolean NOT NULL,
    state           text NOT NULL,
    due_time        TIMESTAMP NOT NULL,
    attempt_count   integer NOT NULL,
    reason          text NOT NULL,
    address_masked  text NOT NULL,
    -- The attempt under way belongs to whoever holds the lease until then; afterwards its outcome is unknown.
    lease_id        text NOT NULL,
    lease_time      TIMESTAMP,
    create_time     TIMESTAMP NOT NULL,
    sent_time       TIMESTAMP,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX delivery_due ON delivery (channel, due_time, id) WHERE state = 'PENDING';
CREATE INDEX delivery_leased ON delivery (lease_time) WHERE state = 'SENDING';
CREATE INDEX delivery_newest ON delivery (county_code, create_time, id);
CREATE INDEX delivery_dead ON delivery (county_code, channel, create_time) WHERE state = 'DEAD';
CREATE INDEX delivery_entry ON delivery (county_code, entry_id) WHERE entry_id <> '';
CREATE INDEX delivery_alarm ON delivery (county_code, alarm_id) WHERE alarm_id <> '';
CREATE INDEX delivery_referral ON delivery (county_code, referral_id, id) WHERE referral_id <> '';

-- Written before the provider is called: an attempt without an end has an unknown outcome.
CREATE TABLE delivery_attempt (
    county_code         text NOT NULL,
    delivery_id         text NOT NULL,
    number              integer NOT NULL,
    start_time          TIMESTAMP NOT NULL,
    end_time            TIMESTAMP,
    outcome             text NOT NULL,
    provider_code       text NOT NULL,
    provider_message_id text NOT NULL,
    again               boolean NOT NULL,
    PRIMARY KEY (county_code, delivery_id, number),
    FOREIGN KEY (county_code, delivery_id) REFERENCES delivery (county_code, id)
);
