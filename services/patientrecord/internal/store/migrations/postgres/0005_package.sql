-- +goose Up
-- What went with a referral that came again after a return, as at that resubmission. The first submission's is in handover_package.
CREATE TABLE handover_version (
    county_code      text    NOT NULL,
    referral_id      text    NOT NULL,
    referral_version integer NOT NULL,
    patient_id       text    NOT NULL,
    content          bytea NOT NULL,
    assembled_time   timestamptz NOT NULL,
    PRIMARY KEY (county_code, referral_id, referral_version),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
