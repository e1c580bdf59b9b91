-- +goose Up
-- A department that is closed stays where it was used and is no longer offered.
ALTER TABLE department ADD COLUMN disabled boolean NOT NULL DEFAULT FALSE;
-- Since when a medicine is in stock, or out of it; empty where that is not known.
ALTER TABLE formulary_item ADD COLUMN stock_time TIMESTAMP;

-- What a subject (PLACE: an organisation with its departments, ABILITIES: what it can do, MEDICINE: a line of its list) said in each version: who
-- made it so, and when. The last is what stands. It holds no patient data.
CREATE TABLE place_version (
    county_code text    NOT NULL,
    subject     text    NOT NULL,
    subject_id  text    NOT NULL,
    version     integer NOT NULL,
    body        text    NOT NULL,
    account_id  text    NOT NULL,
    change_time TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, subject, subject_id, version)
);
