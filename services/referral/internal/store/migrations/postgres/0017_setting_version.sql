-- +goose Up
-- Why the first answer was a negative one, in the open as its history is; the figures rank by it.
ALTER TABLE referral ADD COLUMN first_reason text NOT NULL DEFAULT '';
UPDATE referral SET first_reason = COALESCE((SELECT max(h.reason_code) FROM history h WHERE h.county_code = referral.county_code
    AND h.referral_id = referral.id AND h.occur_time = referral.answer_time AND h.action = referral.first_answer), '')
    WHERE first_answer IN ('return', 'redirect', 'decline');

-- Every version of what a county has set, by subject (SETTINGS, TARGETS, REASONS): who set it and when. The last is what stands. It holds no
-- patient data.
CREATE TABLE setting_version (
    county_code  text    NOT NULL,
    subject      text    NOT NULL,
    version      integer NOT NULL,
    body         text    NOT NULL,
    account_id   text    NOT NULL,
    account_name text    NOT NULL,
    change_time  timestamptz NOT NULL,
    PRIMARY KEY (county_code, subject, version)
);
-- What was set before versions were kept has no known author.
INSERT INTO setting_version (county_code, subject, version, body, account_id, account_name, change_time)
    SELECT county_code, 'SETTINGS', version, body, '', '', update_time FROM county_setting;
