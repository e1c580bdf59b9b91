-- +goose Up
-- What is in somebody's name is found by it. 0008 made the table anew on SQLite, without this index of 0005.
CREATE INDEX IF NOT EXISTS roster_shift_account ON roster_shift (county_code, account_id);
