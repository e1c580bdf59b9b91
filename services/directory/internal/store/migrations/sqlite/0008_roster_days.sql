-- +goose Up
-- Local dates of the first and the last day on which a shift begins, '' for always. The same shift may be there before and after another person's.
CREATE TABLE roster_shift_dated (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    weekday         integer NOT NULL,
    start_clock     text    NOT NULL,
    end_clock       text    NOT NULL,
    account_id      text    NOT NULL,
    line            integer NOT NULL,
    first_day       text    NOT NULL DEFAULT '',
    last_day        text    NOT NULL DEFAULT '',
    PRIMARY KEY (county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line, first_day),
    FOREIGN KEY (county_code, organization_id, department_code) REFERENCES roster (county_code, organization_id, department_code)
);
INSERT INTO roster_shift_dated (county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line)
SELECT county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line FROM roster_shift;
DROP TABLE roster_shift;
ALTER TABLE roster_shift_dated RENAME TO roster_shift;
