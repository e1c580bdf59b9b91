-- +goose Up
-- Documents of patients: one row a version of the metadata. content is sealed: title, date, author, reason, and what the file is.
CREATE TABLE attachment (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    is_current      boolean NOT NULL,
    patient_id      text    NOT NULL,
    -- '' when it goes with none.
    referral_id     text    NOT NULL,
    kind            text    NOT NULL,
    status          text    NOT NULL,
    content         bytea NOT NULL,
    account_id      text    NOT NULL,
    organization_id text    NOT NULL,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id, version),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX attachment_list ON attachment (county_code, patient_id, id DESC) WHERE is_current;
CREATE INDEX attachment_referral ON attachment (county_code, referral_id, id DESC) WHERE is_current AND referral_id <> '';

-- The bytes of a document (part 'content') and of its small picture (part 'thumbnail'), in sealed pieces. A piece is sealed for its place:
-- the row's name is county/attachment/part/number/how many there are, so that none can be left out, moved or taken from another document.
CREATE TABLE attachment_chunk (
    county_code   text    NOT NULL,
    attachment_id text    NOT NULL,
    part          text    NOT NULL,
    number        integer NOT NULL,
    content       bytea NOT NULL,
    PRIMARY KEY (county_code, attachment_id, part, number)
);
