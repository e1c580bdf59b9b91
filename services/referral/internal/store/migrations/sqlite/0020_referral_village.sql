-- +goose Up
-- The clinic of the patient's village, as it was known when the referral was made: what a village doctor finds the patients of the village by. Referrals of
-- before get it with their next change.
ALTER TABLE referral ADD COLUMN village_id text NOT NULL DEFAULT '';
CREATE INDEX referral_village ON referral (county_code, village_id, create_time, id) WHERE village_id <> '';
