-- +goose Up
-- When the patient of a slot was taken from it to a bed: the slot is free, and the patient stays on the list of the day.
ALTER TABLE hold ADD COLUMN admitted_time TIMESTAMP;
