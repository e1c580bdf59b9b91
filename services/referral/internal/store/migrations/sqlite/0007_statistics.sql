-- +goose Up
-- What figures ask of a referral and its state does not tell any more.
ALTER TABLE referral ADD COLUMN accept_time TIMESTAMP;
ALTER TABLE referral ADD COLUMN no_show_time TIMESTAMP;
ALTER TABLE referral ADD COLUMN follow_up_time TIMESTAMP;
UPDATE referral SET accept_time = (SELECT min(h.occur_time) FROM history h
    WHERE h.county_code = referral.county_code AND h.referral_id = referral.id AND h.action = 'accept') WHERE number <> '';
UPDATE referral SET no_show_time = (SELECT min(h.occur_time) FROM history h
    WHERE h.county_code = referral.county_code AND h.referral_id = referral.id AND h.action = 'no_show') WHERE number <> '';
UPDATE referral SET follow_up_time = (SELECT min(h.occur_time) FROM history h
    WHERE h.county_code = referral.county_code AND h.referral_id = referral.id AND h.action = 'begin_follow_up') WHERE direction = 'DOWN';

-- The cases behind a figure, by the day on which they count.
CREATE INDEX referral_submitted ON referral (county_code, submit_time, id) WHERE submit_time IS NOT NULL;
CREATE INDEX referral_arrived ON referral (county_code, arrive_time, id) WHERE arrive_time IS NOT NULL;
CREATE INDEX referral_concluded ON referral (county_code, conclude_time, id) WHERE conclude_time IS NOT NULL;
CREATE INDEX referral_followed ON referral (county_code, follow_up_time, id) WHERE follow_up_time IS NOT NULL;
CREATE INDEX candidate_found ON candidate (county_code, found_time, id);

-- Discharges that the hospitals' systems reported. One that is the conclusion of an up-referral counts with that and not here.
CREATE TABLE discharge (
    county_code     text NOT NULL,
    encounter_id    text NOT NULL,
    patient_id      text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    centre_id       text NOT NULL,
    condition       text NOT NULL,
    referral_id     text NOT NULL,
    down_referral   text NOT NULL,
    start_time      TIMESTAMP NOT NULL,
    end_time        TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, encounter_id)
);
CREATE INDEX discharge_patient ON discharge (county_code, patient_id);
CREATE INDEX discharge_ended ON discharge (county_code, end_time, encounter_id);
