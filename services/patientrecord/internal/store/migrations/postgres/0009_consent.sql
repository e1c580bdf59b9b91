-- +goose Up
-- Who agreed to what. content is sealed: names, telephones, reasons, and each step that it took; nothing in it is ever overwritten.
-- ordinal counts the consents of a referral.
CREATE TABLE consent (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    patient_id      text    NOT NULL,
    scope           text    NOT NULL,
    referral_id     text    NOT NULL,
    ordinal         integer NOT NULL,
    receiver_id     text    NOT NULL,
    organization_id text    NOT NULL,
    account_id      text    NOT NULL,
    state           text    NOT NULL,
    due_time        timestamptz,
    content         bytea NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX consent_patient ON consent (county_code, patient_id, create_time, id);
CREATE UNIQUE INDEX consent_referral ON consent (county_code, referral_id, ordinal) WHERE referral_id <> '';
CREATE INDEX consent_deferred ON consent (county_code, organization_id, due_time, id) WHERE state = 'DEFERRED';

-- What left: who took out what, when, for whom. Rows are only added. content is the sealed statement; digest is of what was handed out.
CREATE TABLE export_ledger (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    kind            text    NOT NULL,
    form            text    NOT NULL,
    patient_id      text    NOT NULL,
    home_organization_id text NOT NULL,
    account_id      text    NOT NULL,
    organization_id text    NOT NULL,
    entries         integer NOT NULL,
    digest          bytea NOT NULL,
    content         bytea NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX export_ledger_newest ON export_ledger (county_code, create_time, id);
CREATE INDEX export_ledger_patient ON export_ledger (county_code, patient_id, create_time, id);
