-- +goose Up
-- Limits that began before any were told have neither a level nor a next_time. Nobody is told of them until the service has begun them by
-- the county's calendar, at its next start. Two limits are younger than the referrals that wait for them: they are left in the same shape,
-- the second with every emergency, because whether a consent is owed is sealed.
INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time)
    SELECT county_code, id, 'ACKNOWLEDGE', COALESCE(conclude_time, update_time), 'OPEN', COALESCE(conclude_time, update_time)
    FROM referral WHERE state = 'CONCLUDED' AND direction = 'UP'
    ON CONFLICT DO NOTHING;
INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time)
    SELECT county_code, id, 'CONSENT', submit_time, 'OPEN', submit_time
    FROM referral WHERE kind = 'EMERGENCY' AND submit_time IS NOT NULL
        AND state IN ('SUBMITTED', 'RETURNED', 'ACCEPTED', 'NO_SHOW', 'ARRIVED', 'ADMITTED')
    ON CONFLICT DO NOTHING;

DROP INDEX deadline_next;
CREATE INDEX deadline_next ON deadline (next_time) WHERE state = 'OPEN' AND next_time IS NOT NULL;
CREATE INDEX deadline_left ON deadline (county_code, referral_id, step) WHERE state = 'OPEN' AND next_time IS NULL AND level = 0;
