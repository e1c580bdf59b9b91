-- +goose Up
-- The clinic of the patient's village, as it was when the referral was sent; empty where it is not known. Its doctors see what is due.
ALTER TABLE follow_up_task ADD COLUMN village_id text NOT NULL DEFAULT '';
CREATE INDEX follow_up_task_village ON follow_up_task (county_code, village_id, state, due_date, id) WHERE village_id <> '';
