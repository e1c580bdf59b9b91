-- +goose Up
-- How far a column's values are sealed with a key: position is the primary key of the last row that was looked at, as JSON. unreadable counts
-- the values of the last walk that no key of the ring opens.
CREATE TABLE rekey_progress (
    table_name  text    NOT NULL,
    column_name text    NOT NULL,
    key_id      text    NOT NULL,
    position    text    NOT NULL,
    resealed    bigint  NOT NULL,
    unreadable  bigint  NOT NULL,
    done        boolean NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (table_name, column_name)
);
