-- +goose Up
-- The organisation above: of a village clinic its centre, whose residents it looks after. Empty for none.
ALTER TABLE recognition_organization ADD COLUMN parent_id text NOT NULL DEFAULT '';

-- Under which index key a county's search terms are, or are being written. Empty for one that an earlier release wrote: they are written anew.
ALTER TABLE patient_index ADD COLUMN index_key text NOT NULL DEFAULT '';
