-- +goose Up
-- Of glass_broken and visit_declared: which use of a way around the care relation.
ALTER TABLE entry ADD COLUMN glass_id text NOT NULL DEFAULT '';
