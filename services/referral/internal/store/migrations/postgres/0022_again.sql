-- +goose Up
-- The up-referral with which the patient of a candidate comes to the hospital again: while there is one nobody is urged to decide.
ALTER TABLE candidate ADD COLUMN up_again text NOT NULL DEFAULT '';
UPDATE candidate SET up_again = COALESCE((SELECT min(r.id) FROM referral r WHERE r.county_code = candidate.county_code AND r.patient_id = candidate.patient_id
    AND r.direction = 'UP' AND r.kind IN ('OUTPATIENT', 'INPATIENT', 'EMERGENCY') AND r.receiver_org = candidate.organization_id AND r.id <> candidate.referral_id
    AND r.state IN ('SUBMITTED', 'RETURNED', 'ACCEPTED', 'ARRIVED', 'ADMITTED')), '')
    WHERE state IN ('OPEN', 'REFERRED') AND referral_id <> '';
UPDATE deadline SET state = 'STOPPED' WHERE state = 'OPEN' AND step = 'DOWN_DECISION' AND EXISTS (SELECT 1 FROM candidate c
    WHERE c.county_code = deadline.county_code AND c.referral_id = deadline.referral_id AND c.up_again <> '');
-- Whether the booking is of a bed: it ends with the stay in it, and with an admission that is undone.
ALTER TABLE referral ADD COLUMN booking_bed boolean NOT NULL DEFAULT FALSE;
UPDATE referral SET booking_bed = TRUE WHERE booking_id <> '' AND kind = 'INPATIENT';
