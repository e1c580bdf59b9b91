-- +goose Up
-- The days over which a department's reserve is to be spread anew, both included; '' is today, and all to come.
ALTER TABLE spread_due ADD COLUMN first_day text NOT NULL DEFAULT '';
ALTER TABLE spread_due ADD COLUMN last_day text NOT NULL DEFAULT '';

-- Sessions from before there was a reserve have none: once for each department.
INSERT INTO spread_due (county_code, id, organization_id, department_code)
    SELECT DISTINCT county_code, 'before ' || organization_id || ' ' || department_code, organization_id, department_code FROM session;

-- Sessions from before there were local days have one of Asia/Shanghai, which the county's zone need not be: the service looks at each once, by its
-- time-zone setting. They are of no template.
CREATE TABLE local_day_due (
    county_code text NOT NULL,
    id          text NOT NULL,
    PRIMARY KEY (county_code, id)
);
INSERT INTO local_day_due (county_code, id) SELECT county_code, id FROM session WHERE template_id = '';

-- Walked in order of time for free slots: with what tells at once that one is not wanted, so that the row is read of those alone that nobody has.
CREATE INDEX slot_by_start ON slot (county_code, organization_id, start_time, id, department_code, pool, closed_by);
DROP INDEX slot_by_time;
CREATE INDEX slot_of_department ON slot (county_code, organization_id, department_code, start_time, id, pool) WHERE closed_by = '';
DROP INDEX slot_by_department;
