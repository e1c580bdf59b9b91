-- +goose Up
-- What was taken out of a county's chain into a file: all up to a number. Whoever signed it had the file read back before the entries went.
CREATE TABLE audit_archive (
    county_code  text NOT NULL,
    seq          bigint NOT NULL,
    hash         bytea NOT NULL,
    file_hash    bytea NOT NULL,
    entries      bigint NOT NULL,
    archive_time timestamptz NOT NULL,
    key_id       text NOT NULL,
    signature    bytea NOT NULL,
    PRIMARY KEY (county_code, seq)
);
