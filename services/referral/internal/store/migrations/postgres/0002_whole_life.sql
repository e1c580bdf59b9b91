-- +goose Up
-- The rest of a referral's life: what it follows and what follows it, when things happened, and the sealed follow-up plan.
ALTER TABLE referral ADD COLUMN reply_to text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN link_kind text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN retrospective boolean NOT NULL DEFAULT false;
ALTER TABLE referral ADD COLUMN escalated_to text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN down_referral text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN bounce_back_of text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN bounced_by text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN matched_criteria text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN family_doctor text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN verdict text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN corrections integer NOT NULL DEFAULT 0;
ALTER TABLE referral ADD COLUMN condition text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN first_answer text NOT NULL DEFAULT '';
ALTER TABLE referral ADD COLUMN first_due timestamptz;
ALTER TABLE referral ADD COLUMN answer_time timestamptz;
ALTER TABLE referral ADD COLUMN down_arrive_time timestamptz;
ALTER TABLE referral ADD COLUMN depart_time timestamptz;
ALTER TABLE referral ADD COLUMN expected_arrival timestamptz;
ALTER TABLE referral ADD COLUMN conclude_time timestamptz;
ALTER TABLE referral ADD COLUMN close_time timestamptz;
ALTER TABLE referral ADD COLUMN plan bytea;

-- What referrals of before know: their condition, and from their history when they were answered, concluded and closed.
UPDATE referral SET condition = substr(diagnosis_codes, 1, 3);
UPDATE referral SET close_time = update_time WHERE state IN ('DECLINED', 'CANCELLED', 'CLOSED');
UPDATE referral SET conclude_time = (SELECT max(h.occur_time) FROM history h
    WHERE h.county_code = referral.county_code AND h.referral_id = referral.id AND h.action = 'conclude') WHERE state IN ('CONCLUDED', 'CLOSED');
UPDATE referral SET answer_time = (SELECT min(h.occur_time) FROM history h WHERE h.county_code = referral.county_code AND h.referral_id = referral.id
    AND (h.action IN ('accept', 'return', 'redirect', 'decline') OR h.action = 'arrive' AND h.from_state = 'SUBMITTED')) WHERE number <> '';
UPDATE referral SET first_answer = COALESCE((SELECT min(h.action) FROM history h WHERE h.county_code = referral.county_code
    AND h.referral_id = referral.id AND h.occur_time = referral.answer_time
    AND h.action IN ('accept', 'return', 'redirect', 'decline', 'arrive')), '') WHERE answer_time IS NOT NULL;

CREATE INDEX referral_follows ON referral (county_code, reply_to) WHERE reply_to <> '';

-- What happens beside the transitions: on its way, messages, verdicts, corrections, limits that passed. seen has its own table (mark).
CREATE TABLE note (
    county_code     text NOT NULL,
    id              text NOT NULL,
    referral_id     text NOT NULL,
    name            text NOT NULL,
    account_id      text NOT NULL,
    account_name    text NOT NULL,
    organization_id text NOT NULL,
    occur_time      timestamptz NOT NULL,
    reason_code     text NOT NULL,
    -- Sealed: text and detail.
    remark          bytea,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);
CREATE INDEX note_referral ON note (county_code, referral_id, occur_time, id);
