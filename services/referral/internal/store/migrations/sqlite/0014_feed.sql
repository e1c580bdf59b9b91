-- +goose Up
-- How a stay ended (离院方式), as the hospital's system said; empty: not said, or told before this column.
ALTER TABLE discharge ADD COLUMN discharge_way text NOT NULL DEFAULT '';
CREATE INDEX discharge_down ON discharge (county_code, down_referral) WHERE down_referral <> '';

-- Residents whom a county hospital registered and who have no referral: the desk may record that they were sent (体系外). One that is
-- RECORDED names the referral. patient is the sealed snapshot; version is that of the newest fact that was taken.
CREATE TABLE registration (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    state           text    NOT NULL,
    patient_id      text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    class           text    NOT NULL,
    centre_id       text    NOT NULL,
    start_time      TIMESTAMP NOT NULL,
    referral_id     text    NOT NULL,
    reason_code     text    NOT NULL,
    settle_time     TIMESTAMP,
    patient         BLOB NOT NULL,
    note            BLOB,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX registration_list ON registration (county_code, organization_id, start_time DESC, id DESC) WHERE state = 'OPEN';
CREATE INDEX registration_patient ON registration (county_code, patient_id) WHERE state = 'OPEN';
