-- +goose Up
CREATE TABLE referral (
    county_code             text    NOT NULL,
    id                      text    NOT NULL,
    number                  text    NOT NULL,
    version                 integer NOT NULL,
    state                   text    NOT NULL,
    direction               text    NOT NULL,
    kind                    text    NOT NULL,
    urgency                 text    NOT NULL,
    urgency_rank            integer NOT NULL,
    patient_id              text    NOT NULL,
    originator_org          text    NOT NULL,
    originator_department   text    NOT NULL,
    originator_practitioner text    NOT NULL,
    account_id              text    NOT NULL,
    receiver_org            text    NOT NULL,
    receiver_department     text    NOT NULL,
    receiver_practitioner   text    NOT NULL,
    diagnosis_codes         text    NOT NULL,
    guard                   text    NOT NULL,
    transport               text    NOT NULL,
    hold_id                 text    NOT NULL,
    hold_lost               boolean NOT NULL,
    booking_id              text    NOT NULL,
    booking_hold_id         text    NOT NULL,
    walk_in                 boolean NOT NULL,
    expected_from           TIMESTAMP,
    expected_to             TIMESTAMP,
    outcome_code            text    NOT NULL,
    reason_code             text    NOT NULL,
    arrived_from            text    NOT NULL,
    submit_time             TIMESTAMP,
    arrive_time             TIMESTAMP,
    admit_time              TIMESTAMP,
    due_time                TIMESTAMP,
    due_order               TIMESTAMP NOT NULL,
    create_time             TIMESTAMP NOT NULL,
    update_time             TIMESTAMP NOT NULL,
    -- Sealed: the patient's snapshot; what the originator wrote; what the receiver wrote.
    patient                 BLOB   NOT NULL,
    content                 BLOB   NOT NULL,
    result                  BLOB,
    PRIMARY KEY (county_code, id)
);
-- At most one open referral of a patient and kind between two organisations.
CREATE UNIQUE INDEX referral_guard ON referral (county_code, guard) WHERE guard <> '';
CREATE UNIQUE INDEX referral_number ON referral (county_code, number) WHERE number <> '';
CREATE INDEX referral_inbox_due ON referral (county_code, receiver_org, state, urgency_rank, due_order, id) WHERE number <> '';
CREATE INDEX referral_inbox_new ON referral (county_code, receiver_org, create_time, id) WHERE number <> '';
CREATE INDEX referral_outbox_due ON referral (county_code, originator_org, state, urgency_rank, due_order, id);
CREATE INDEX referral_outbox_new ON referral (county_code, originator_org, create_time, id);
CREATE INDEX referral_patient ON referral (county_code, patient_id);
CREATE INDEX referral_expected ON referral (county_code, receiver_org, expected_from) WHERE expected_from IS NOT NULL;

CREATE TABLE history (
    county_code     text    NOT NULL,
    referral_id     text    NOT NULL,
    version         integer NOT NULL,
    action          text    NOT NULL,
    from_state      text    NOT NULL,
    to_state        text    NOT NULL,
    account_id      text    NOT NULL,
    account_name    text    NOT NULL,
    organization_id text    NOT NULL,
    occur_time      TIMESTAMP NOT NULL,
    reason_code     text    NOT NULL,
    -- Sealed: note and detail.
    remark          BLOB,
    PRIMARY KEY (county_code, referral_id, version),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);

CREATE TABLE mark (
    county_code     text NOT NULL,
    referral_id     text NOT NULL,
    name            text NOT NULL,
    account_id      text NOT NULL,
    account_name    text NOT NULL,
    organization_id text NOT NULL,
    occur_time      TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, referral_id, name, account_id),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);

CREATE TABLE deadline (
    county_code text NOT NULL,
    referral_id text NOT NULL,
    step        text NOT NULL,
    due_time    TIMESTAMP NOT NULL,
    state       text NOT NULL,
    start_time  TIMESTAMP NOT NULL,
    stop_time   TIMESTAMP,
    PRIMARY KEY (county_code, referral_id, step),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);
CREATE INDEX deadline_open ON deadline (due_time) WHERE state = 'OPEN';

CREATE TABLE former_receiver (
    county_code     text NOT NULL,
    referral_id     text NOT NULL,
    organization_id text NOT NULL,
    PRIMARY KEY (county_code, referral_id, organization_id),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);

-- No reference to referral: a hold may be barred for a referral whose submission never got here.
CREATE TABLE booking_attempt (
    county_code      text    NOT NULL,
    hold_id          text    NOT NULL,
    referral_id      text    NOT NULL,
    referral_version integer NOT NULL,
    state            text    NOT NULL,
    booking_id       text    NOT NULL,
    start_time       TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, hold_id, referral_id)
);

CREATE TABLE number_block (
    county_code text    NOT NULL,
    year        integer NOT NULL,
    next        bigint  NOT NULL,
    PRIMARY KEY (county_code, year)
);

CREATE TABLE organization (
    county_code text    NOT NULL,
    id          text    NOT NULL,
    version     integer NOT NULL,
    name        text    NOT NULL,
    type        text    NOT NULL,
    disabled    boolean NOT NULL,
    PRIMARY KEY (county_code, id)
);

CREATE TABLE department (
    county_code     text NOT NULL,
    organization_id text NOT NULL,
    code            text NOT NULL,
    name            text NOT NULL,
    PRIMARY KEY (county_code, organization_id, code),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);
