-- +goose Up
CREATE TABLE audit_entry (
    county_code     text NOT NULL,
    id              text NOT NULL,
    entry_time      TIMESTAMP NOT NULL,
    account_id      text NOT NULL,
    organization_id text NOT NULL,
    action          text NOT NULL,
    object_type     text NOT NULL,
    object_id       text NOT NULL,
    patient_id      text NOT NULL,
    detail          text NOT NULL,
    seq             bigint,
    hash            BLOB,
    PRIMARY KEY (county_code, id)
);

CREATE UNIQUE INDEX audit_entry_seq ON audit_entry (county_code, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_entry_unsealed ON audit_entry (entry_time, id) WHERE seq IS NULL;

-- Where each county's chain ends.
CREATE TABLE audit_chain (
    county_code text   PRIMARY KEY,
    seq         bigint NOT NULL,
    hash        BLOB  NOT NULL
);

CREATE TABLE audit_head (
    county_code text   NOT NULL,
    seq         bigint NOT NULL,
    hash        BLOB  NOT NULL,
    sign_time   TIMESTAMP NOT NULL,
    key_id      text   NOT NULL,
    signature   BLOB  NOT NULL,
    PRIMARY KEY (county_code, seq)
);
