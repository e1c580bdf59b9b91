-- +goose Up
-- Messages of hospitals' own systems, each once. raw is sealed and there only in quarantine; control and content are keyed hashes.
-- is_first: no other content had this sender and control id before.
CREATE TABLE feed_message (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    organization_id text    NOT NULL,
    account_id      text    NOT NULL,
    sender          text    NOT NULL,
    control_token   BLOB NOT NULL,
    content_token   BLOB NOT NULL,
    is_first        boolean NOT NULL,
    type            text    NOT NULL,
    state           text    NOT NULL,
    reason          text    NOT NULL,
    position        text    NOT NULL,
    receive_time    TIMESTAMP NOT NULL,
    settle_time     TIMESTAMP,
    settle_reason   text    NOT NULL,
    raw             BLOB,
    PRIMARY KEY (county_code, id)
);
CREATE UNIQUE INDEX feed_message_control ON feed_message (county_code, organization_id, sender, control_token, content_token);
CREATE UNIQUE INDEX feed_message_first ON feed_message (county_code, organization_id, sender, control_token) WHERE is_first;
CREATE INDEX feed_message_list ON feed_message (county_code, state, receive_time DESC, id DESC);
CREATE INDEX feed_message_sender ON feed_message (county_code, organization_id, sender, receive_time);
