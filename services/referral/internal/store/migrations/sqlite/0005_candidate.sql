-- +goose Up
-- Patients who could go down and have not (应转未转). One stay has at most one candidate, whichever of its sources came first.
CREATE TABLE candidate (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    state           text    NOT NULL,
    origin          text    NOT NULL,
    patient_id      text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    referral_id     text    NOT NULL,
    number          text    NOT NULL,
    encounter_id    text    NOT NULL,
    diagnosis_codes text    NOT NULL,
    criteria        text    NOT NULL,
    centre_id       text    NOT NULL,
    family_doctor   text    NOT NULL,
    down_referral   text    NOT NULL,
    reason_code     text    NOT NULL,
    stay_start      TIMESTAMP NOT NULL,
    stay_end        TIMESTAMP,
    found_time      TIMESTAMP NOT NULL,
    due_time        TIMESTAMP NOT NULL,
    update_time     TIMESTAMP NOT NULL,
    -- Sealed: the patient's snapshot; diagnoses in words, medicines and the note.
    patient         BLOB NOT NULL,
    content         BLOB NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE UNIQUE INDEX candidate_referral ON candidate (county_code, referral_id) WHERE referral_id <> '';
CREATE UNIQUE INDEX candidate_encounter ON candidate (county_code, encounter_id) WHERE encounter_id <> '';
CREATE INDEX candidate_list ON candidate (county_code, organization_id, state, due_time, id);
CREATE INDEX candidate_patient ON candidate (county_code, patient_id);

-- Whoever finds, answers or takes back something about a patient's candidates writes here first, and so waits for the others.
CREATE TABLE candidate_gate (
    county_code text   NOT NULL,
    patient_id  text   NOT NULL,
    passed      bigint NOT NULL,
    PRIMARY KEY (county_code, patient_id)
);

-- Stays in wards that the hospitals' systems reported, and when each will be longer than usual. An ENDED one without a due time ended
-- before its beginning was told.
CREATE TABLE stay_watch (
    county_code     text NOT NULL,
    encounter_id    text NOT NULL,
    state           text NOT NULL,
    patient_id      text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    centre_id       text NOT NULL,
    diagnosis_codes text NOT NULL,
    criterion       text NOT NULL,
    start_time      TIMESTAMP,
    due_time        TIMESTAMP,
    PRIMARY KEY (county_code, encounter_id)
);
CREATE INDEX stay_watch_due ON stay_watch (due_time) WHERE state = 'OPEN';
