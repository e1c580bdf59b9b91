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

-- Every way around the care relation: who, whose record, why, until when; content is the sealed note and the reviews.
CREATE TABLE glass (
    county_code          text    NOT NULL,
    id                   text    NOT NULL,
    version              integer NOT NULL,
    patient_id           text    NOT NULL,
    account_id           text    NOT NULL,
    organization_id      text    NOT NULL,
    home_organization_id text    NOT NULL,
    way                  text    NOT NULL,
    reason               text    NOT NULL,
    is_open              boolean NOT NULL,
    content              BLOB NOT NULL,
    from_time            TIMESTAMP NOT NULL,
    to_time              TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX glass_patient ON glass (county_code, patient_id, account_id, from_time);
CREATE INDEX glass_newest ON glass (county_code, from_time, id);
CREATE INDEX glass_home ON glass (county_code, home_organization_id, from_time, id);
