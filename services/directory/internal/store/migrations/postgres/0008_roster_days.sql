-- +goose Up
-- Local dates of the first and the last day on which a shift begins, '' for always. The same shift may be there before and after another person's.
ALTER TABLE roster_shift ADD COLUMN first_day text NOT NULL DEFAULT '';
ALTER TABLE roster_shift ADD COLUMN last_day text NOT NULL DEFAULT '';
ALTER TABLE roster_shift DROP CONSTRAINT roster_shift_pkey;
ALTER TABLE roster_shift ADD PRIMARY KEY (county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line, first_day);
