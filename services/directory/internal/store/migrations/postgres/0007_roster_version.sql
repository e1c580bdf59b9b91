-- +goose Up
-- Every version of a roster: who made it and when, and the week as it was then; of a hand-over or its end also which. Rows are added alone.
CREATE TABLE roster_version (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    version         integer NOT NULL,
    action          text    NOT NULL,
    body            text    NOT NULL,
    account_id      text    NOT NULL,
    account_name    text    NOT NULL,
    change_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, organization_id, department_code, version)
);
