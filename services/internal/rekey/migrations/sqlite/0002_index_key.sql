-- +goose Up
-- Since when rows are hashed with an index key. The first one that was noted has been used since ever.
CREATE TABLE index_key_use (
    key_id     text NOT NULL,
    first_time TIMESTAMP NOT NULL,
    PRIMARY KEY (key_id)
);
