-- +goose Up
-- Forms that were printed with numbers allotted beforehand, for when the system is away. One is outstanding, used by one referral, or void.
CREATE TABLE blank_form (
    county_code     text NOT NULL,
    number          text NOT NULL,
    batch_id        text NOT NULL,
    form            text NOT NULL,
    organization_id text NOT NULL,
    printed_by      text NOT NULL,
    printed_by_name text NOT NULL,
    printed_by_org  text NOT NULL,
    print_time      TIMESTAMP NOT NULL,
    valid_until     TIMESTAMP NOT NULL,
    referral_id     text NOT NULL DEFAULT '',
    void_reason     text NOT NULL DEFAULT '',
    void_note       text NOT NULL DEFAULT '',
    void_by         text NOT NULL DEFAULT '',
    void_time       TIMESTAMP,
    PRIMARY KEY (county_code, number)
);
CREATE INDEX blank_form_batch ON blank_form (county_code, batch_id);
CREATE INDEX blank_form_organization ON blank_form (county_code, organization_id, print_time);
-- When a referral was written on such a form. NULL: it was not.
ALTER TABLE referral ADD COLUMN written_time TIMESTAMP;
