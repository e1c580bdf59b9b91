-- +goose Up
-- The patient index. demographics is sealed; number_token is the keyed hash of the document's type and number.
CREATE TABLE patient (
    county_code          text    NOT NULL,
    id                   text    NOT NULL,
    version              integer NOT NULL,
    demographics         bytea NOT NULL,
    number_token         bytea,
    home_organization_id text    NOT NULL,
    create_time          timestamptz NOT NULL,
    update_time          timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE UNIQUE INDEX patient_number ON patient (county_code, number_token) WHERE number_token IS NOT NULL;

-- What a patient is found by: keyed hashes of names, numbers, telephones. The kind is part of the hash.
CREATE TABLE patient_token (
    county_code text     NOT NULL,
    kind        smallint NOT NULL,
    token       bytea NOT NULL,
    patient_id  text     NOT NULL,
    PRIMARY KEY (county_code, token, patient_id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX patient_token_patient ON patient_token (county_code, patient_id);

-- Who the patient is in another system: keyed hash of the system and its identity.
CREATE TABLE patient_source (
    county_code  text  NOT NULL,
    source_token bytea NOT NULL,
    patient_id   text  NOT NULL,
    create_time  timestamptz NOT NULL,
    PRIMARY KEY (county_code, source_token),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);

-- Which organisation may see how much of which patient, from (inclusive) until to (exclusive; NULL: open).
CREATE TABLE care_relation (
    county_code     text     NOT NULL,
    patient_id      text     NOT NULL,
    organization_id text     NOT NULL,
    kind            text     NOT NULL,
    source          text     NOT NULL,
    level           smallint NOT NULL,
    from_time       timestamptz NOT NULL,
    to_time         timestamptz,
    PRIMARY KEY (county_code, patient_id, organization_id, kind, source)
);
CREATE INDEX care_relation_organization ON care_relation (county_code, organization_id, patient_id);
CREATE INDEX care_relation_source ON care_relation (county_code, source) WHERE kind = 'REFERRAL';

-- The clinical record. Rows are never changed but for is_current: another content is another version.
CREATE TABLE clinical_entry (
    county_code    text    NOT NULL,
    id             text    NOT NULL,
    version        integer NOT NULL,
    is_current     boolean NOT NULL,
    patient_id     text    NOT NULL,
    source_token   bytea NOT NULL,
    content_token  bytea NOT NULL,
    kind           text    NOT NULL,
    category       text    NOT NULL,
    code_token     bytea NOT NULL,
    status         text    NOT NULL,
    effective_time timestamptz NOT NULL,
    content        bytea NOT NULL,
    create_time    timestamptz NOT NULL,
    PRIMARY KEY (county_code, id, version),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE UNIQUE INDEX clinical_entry_source ON clinical_entry (county_code, patient_id, source_token) WHERE is_current;
CREATE INDEX clinical_entry_list ON clinical_entry (county_code, patient_id, kind, effective_time DESC, id DESC) WHERE is_current;
CREATE INDEX clinical_entry_code ON clinical_entry (county_code, patient_id, kind, code_token, effective_time DESC, id DESC) WHERE is_current;

-- Referrals as their facts tell them: parties and state only.
CREATE TABLE referral_standing (
    county_code   text    NOT NULL,
    referral_id   text    NOT NULL,
    version       integer NOT NULL,
    patient_id    text    NOT NULL,
    state         text    NOT NULL,
    previous      text    NOT NULL,
    originator_id text    NOT NULL,
    receiver_id   text    NOT NULL,
    written       boolean NOT NULL,
    occur_time    timestamptz NOT NULL,
    PRIMARY KEY (county_code, referral_id)
);

-- What went with a referral, as at submission.
CREATE TABLE handover_package (
    county_code    text NOT NULL,
    referral_id    text NOT NULL,
    patient_id     text NOT NULL,
    content        bytea NOT NULL,
    assembled_time timestamptz NOT NULL,
    PRIMARY KEY (county_code, referral_id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
