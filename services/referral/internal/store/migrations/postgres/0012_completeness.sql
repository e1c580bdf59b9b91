-- +goose Up
-- How complete the hand-over was when the referral was last sent, 0 to 100, and the codes of the items that were missing. NULL: not judged.
ALTER TABLE referral ADD COLUMN completeness integer;
ALTER TABLE referral ADD COLUMN completeness_missing text NOT NULL DEFAULT '';
