-- +goose Up
-- The ladder of a limit and who is at it. next_time: when the next rung is due; without one it is due_time at level 0, and never after.
ALTER TABLE deadline ADD COLUMN level integer NOT NULL DEFAULT 0;
ALTER TABLE deadline ADD COLUMN next_time TIMESTAMP;
ALTER TABLE deadline ADD COLUMN lease_owner text NOT NULL DEFAULT '';
ALTER TABLE deadline ADD COLUMN lease_until TIMESTAMP;
ALTER TABLE deadline ADD COLUMN fence bigint NOT NULL DEFAULT 0;
-- Nobody reads by it.
DROP INDEX deadline_open;
CREATE INDEX deadline_next ON deadline (COALESCE(next_time, due_time)) WHERE state = 'OPEN' AND (next_time IS NOT NULL OR level = 0);

-- What a county has set; it holds no patient data.
CREATE TABLE county_setting (
    county_code text    NOT NULL PRIMARY KEY,
    version     integer NOT NULL,
    body        text    NOT NULL,
    update_time TIMESTAMP NOT NULL
);
