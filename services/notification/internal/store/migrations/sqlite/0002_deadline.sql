-- +goose Up
-- Of a limit that passed, and of a candidate. occur_time is the fact's.
ALTER TABLE entry ADD COLUMN step text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN level integer NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN candidate_id text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN occur_time TIMESTAMP;

ALTER TABLE account ADD COLUMN name text NOT NULL DEFAULT '';

-- When a referral last stopped waiting for something: a limit that passed before is no longer told.
CREATE TABLE settled (
    county_code text NOT NULL,
    referral_id text NOT NULL,
    wait        text NOT NULL,
    settle_time TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, referral_id, wait)
);
