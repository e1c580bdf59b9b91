-- +goose Up
-- What was taken out of a county's chain into a file: all up to a number. Whoever signed it had the file read back before the entries went.
CREATE TABLE audit_archive (
    county_code  text NOT NULL,
    seq          bigint NOT NULL,
    hash         BLOB NOT NULL,
    file_hash    BLOB NOT NULL,
    entries      bigint NOT NULL,
    archive_time TIMESTAMP NOT NULL,
    key_id       text NOT NULL,
    signature    BLOB NOT NULL,
    PRIMARY KEY (county_code, seq)
);
