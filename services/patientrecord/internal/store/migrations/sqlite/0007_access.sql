-- +goose Up
-- Who stated which purpose to see what is sensitive about a patient, and until when that counts.
CREATE TABLE sensitive_opening (
    county_code     text NOT NULL,
    id              text NOT NULL,
    account_id      text NOT NULL,
    organization_id text NOT NULL,
    patient_id      text NOT NULL,
    purpose         text NOT NULL,
    from_time       TIMESTAMP NOT NULL,
    to_time         TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX sensitive_opening_account ON sensitive_opening (county_code, patient_id, account_id, to_time);
