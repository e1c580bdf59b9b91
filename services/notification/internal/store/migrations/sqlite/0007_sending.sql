-- +goose Up
ALTER TABLE delivery ADD COLUMN from_organization_id text NOT NULL DEFAULT '';
-- Nobody needs the message any more; one that is under way ends with its attempt.
ALTER TABLE delivery ADD COLUMN unneeded boolean NOT NULL DEFAULT false;
-- It may have gone out before: the next attempt says so.
ALTER TABLE delivery ADD COLUMN again boolean NOT NULL DEFAULT false;
-- Attempts before it was last replayed; only later ones count against the most that are made.
ALTER TABLE delivery ADD COLUMN earlier_attempts integer NOT NULL DEFAULT 0;
-- Emergencies go before everything that is due, however much that is.
CREATE INDEX delivery_emergency ON delivery (channel, due_time, id) WHERE state = 'PENDING' AND urgency = 'EMERGENCY';
CREATE INDEX delivery_digest ON delivery (county_code, channel, account_id, due_time) WHERE state = 'PENDING' AND digest;
CREATE INDEX delivery_sent ON delivery (county_code, channel, sent_time) WHERE sent_time IS NOT NULL;

-- Where a person, or an organisation's or department's group, is reached. The address and its signing secret are sealed.
CREATE TABLE address (
    county_code     text NOT NULL,
    id              text NOT NULL,
    account_id      text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    channel         text NOT NULL,
    value           blob NOT NULL,
    secret          blob,
    masked          text NOT NULL,
    update_time     TIMESTAMP NOT NULL,
    test_time       TIMESTAMP,
    PRIMARY KEY (county_code, id),
    UNIQUE (county_code, account_id, organization_id, department_code, channel)
);

-- The link in a message: whoever has the token may acknowledge. Only its hash is kept.
CREATE TABLE acknowledge_link (
    county_code     text NOT NULL,
    token_hash      blob NOT NULL,
    delivery_id     text NOT NULL,
    entry_id        text NOT NULL,
    alarm_id        text NOT NULL,
    account_id      text NOT NULL,
    create_time     TIMESTAMP NOT NULL,
    expire_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, token_hash)
);
CREATE UNIQUE INDEX acknowledge_link_token ON acknowledge_link (token_hash);
CREATE INDEX acknowledge_link_expired ON acknowledge_link (expire_time);
