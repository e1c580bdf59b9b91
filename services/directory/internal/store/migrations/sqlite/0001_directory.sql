-- +goose Up
CREATE TABLE county (
    county_code text NOT NULL,
    name        text NOT NULL,
    update_time TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code)
);

CREATE TABLE organization (
    county_code text    NOT NULL,
    id          text    NOT NULL,
    version     integer NOT NULL,
    code        text    NOT NULL,
    name        text    NOT NULL,
    name_en     text    NOT NULL,
    type        text    NOT NULL,
    address     text    NOT NULL,
    phone       text    NOT NULL,
    disabled    boolean NOT NULL,
    parent_id   text,
    create_time TIMESTAMP NOT NULL,
    update_time TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code) REFERENCES county (county_code),
    FOREIGN KEY (county_code, parent_id) REFERENCES organization (county_code, id)
);
CREATE UNIQUE INDEX organization_code ON organization (county_code, code);

CREATE TABLE department (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    code            text    NOT NULL,
    name            text    NOT NULL,
    name_en         text    NOT NULL,
    location        text    NOT NULL,
    phone           text    NOT NULL,
    has_beds        boolean NOT NULL,
    PRIMARY KEY (county_code, organization_id, code),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);

CREATE TABLE account (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    login           text    NOT NULL,
    name            text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    roles           text    NOT NULL,
    phone           text    NOT NULL,
    disabled        boolean NOT NULL,
    practitioner_id text    NOT NULL,
    create_time     TIMESTAMP NOT NULL,
    update_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);
-- Signing in names no county, so logins are unique in the deployment.
CREATE UNIQUE INDEX account_login ON account (login);
CREATE INDEX account_county_login ON account (county_code, login);

CREATE TABLE credential (
    county_code   text NOT NULL,
    account_id    text NOT NULL,
    password_hash text NOT NULL,
    update_time   TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, account_id),
    FOREIGN KEY (county_code, account_id) REFERENCES account (county_code, id)
);

-- Wrong passwords by the hash of the login, known or not: no county yet.
CREATE TABLE sign_in_guard (
    guard_key    text    NOT NULL,
    failures     integer NOT NULL,
    failure_time TIMESTAMP,
    locked_until TIMESTAMP,
    PRIMARY KEY (guard_key)
);

-- By the hash of the secret: the county is found by it.
CREATE TABLE session (
    id             text NOT NULL,
    county_code    text NOT NULL,
    account_id     text NOT NULL,
    create_time    TIMESTAMP NOT NULL,
    last_seen_time TIMESTAMP NOT NULL,
    end_time       TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (county_code, account_id) REFERENCES account (county_code, id)
);
CREATE INDEX session_create_time ON session (create_time);
