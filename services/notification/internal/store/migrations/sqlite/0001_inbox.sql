-- +goose Up
CREATE TABLE entry (
    county_code          text NOT NULL,
    id                   text NOT NULL,
    account_id           text NOT NULL,
    fact_id              text NOT NULL,
    event                text NOT NULL,
    referral_id          text NOT NULL,
    referral_number      text NOT NULL,
    urgency              text NOT NULL,
    reason_code          text NOT NULL,
    from_organization_id text NOT NULL,
    create_time          TIMESTAMP NOT NULL,
    acknowledge_time     TIMESTAMP,
    PRIMARY KEY (county_code, id)
);
CREATE UNIQUE INDEX entry_fact ON entry (county_code, fact_id, account_id);
CREATE INDEX entry_newest ON entry (county_code, account_id, create_time, id);
CREATE INDEX entry_open ON entry (county_code, account_id, create_time, id) WHERE acknowledge_time IS NULL;
CREATE INDEX entry_referral ON entry (county_code, referral_id, id);

-- What this service knows of the directory's accounts.
CREATE TABLE account (
    county_code     text NOT NULL,
    id              text NOT NULL,
    version         integer NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    roles           text NOT NULL,
    disabled        boolean NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX account_organization ON account (county_code, organization_id);

-- When the directory's accounts of a county were last read completely.
CREATE TABLE account_reading (
    county_code text PRIMARY KEY,
    read_time   TIMESTAMP NOT NULL
);
