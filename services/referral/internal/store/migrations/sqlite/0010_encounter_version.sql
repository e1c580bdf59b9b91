-- +goose Up
-- The version of the newest fact that was taken of an encounter: an older one that comes later changes nothing. From here on every encounter
-- that was told of has its row, with the patient; ENDED without a due time is one whose stay is not watched.
ALTER TABLE stay_watch ADD COLUMN version integer NOT NULL DEFAULT 0;
