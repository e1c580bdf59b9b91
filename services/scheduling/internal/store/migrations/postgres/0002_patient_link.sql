-- +goose Up
-- Patients who are one person, as patient-record told it last. A hold keeps the patient for whom it was taken; whoever wants it for the same
-- person gets it. version is the merged patient's: an older fact never replaces a newer.
CREATE TABLE patient_link (
    county_code text    NOT NULL,
    merged_id   text    NOT NULL,
    survivor_id text    NOT NULL,
    version     integer NOT NULL,
    holds       boolean NOT NULL,
    PRIMARY KEY (county_code, merged_id)
);
CREATE INDEX patient_link_survivor ON patient_link (county_code, survivor_id) WHERE holds;
