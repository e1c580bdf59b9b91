-- +goose Up
-- Who changed what of templates, exceptions and sessions; body is what it was after that. Rows are added alone. It holds no patient data.
CREATE TABLE calendar_change (
    county_code     text NOT NULL,
    id              text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    subject         text NOT NULL,
    subject_id      text NOT NULL,
    action          text NOT NULL,
    body            text NOT NULL,
    account_id      text NOT NULL,
    account_name    text NOT NULL,
    change_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX calendar_change_subject ON calendar_change (county_code, subject, subject_id, id);
CREATE INDEX calendar_change_organization ON calendar_change (county_code, organization_id, id);
