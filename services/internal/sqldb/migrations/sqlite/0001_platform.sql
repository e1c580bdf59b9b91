-- +goose Up
CREATE TABLE lease (
    name       text   PRIMARY KEY,
    holder     text   NOT NULL,
    fence      bigint NOT NULL,
    until_time TIMESTAMP NOT NULL
);

CREATE TABLE request_log (
    county_code text NOT NULL,
    account_id  text NOT NULL,
    method      text NOT NULL,
    request_id  text NOT NULL,
    body_hash   BLOB NOT NULL,
    response    BLOB,
    create_time TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, account_id, method, request_id)
);

CREATE INDEX request_log_create_time ON request_log (create_time);
