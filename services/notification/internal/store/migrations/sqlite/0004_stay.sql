-- +goose Up
-- Of a resident's admission, discharge, or either taken back: whose, and which encounter of the record.
ALTER TABLE entry ADD COLUMN patient_id text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN encounter_id text NOT NULL DEFAULT '';

-- What the home centre was told of an encounter last, and the version of the newest fact that was taken.
CREATE TABLE stay_told (
    county_code  text    NOT NULL,
    encounter_id text    NOT NULL,
    version      integer NOT NULL,
    event        text    NOT NULL,
    end_time     TIMESTAMP,
    PRIMARY KEY (county_code, encounter_id)
);
