-- +goose Up
-- The main steps whose limit passed since each last began, separated by blanks: by them a figure tells what is due from what is only not there yet. Of the
-- referrals of before, the one that is waited for now; what ended before is told by its times.
ALTER TABLE referral ADD COLUMN missed_steps text NOT NULL DEFAULT '';
UPDATE referral SET missed_steps = COALESCE((SELECT max(d.step) FROM deadline d WHERE d.county_code = referral.county_code AND d.referral_id = referral.id
    AND d.state = 'OPEN' AND d.level > 0 AND d.step IN ('ANSWER', 'MISSING_INFORMATION', 'ARRIVAL', 'REPLY', 'FIRST_CONTACT', 'VISIT', 'ACKNOWLEDGE')), '')
    WHERE state NOT IN ('DRAFT', 'DECLINED', 'CANCELLED', 'CLOSED');
