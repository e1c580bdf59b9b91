-- The rows of one submission as services/referral/internal/store writes them, with the sizes of real ones: referral, two
-- history rows, two deadlines (the answer, and the check that the norm asks for with hypertension), the check on the work list,
-- two cells of the figures, audit entry, request log, two facts; the tables and indexes are those of the migrations.
-- Given from outside: run (four digits, another for every run), n (where the client's counter begins), and sealed columns
-- as random bytes: b120 b190 b560 b860 b960 in hexadecimal.
\set n :n + 1
\set c 100 + :client_id
BEGIN;
INSERT INTO referral (county_code, id, direction, patient_id, originator_org, originator_department, originator_practitioner, account_id,
  create_time, version, number, state, kind, urgency, urgency_rank, receiver_org, receiver_department, receiver_practitioner,
  diagnosis_codes, guard, transport, hold_id, hold_lost, booking_id, booking_hold_id, walk_in, expected_from, expected_to, outcome_code,
  reason_code, arrived_from, submit_time, arrive_time, admit_time, due_time, due_order, update_time, condition, first_due, patient, content, result)
VALUES ('450321', md5(:run::text || :c::text || :n::text)::uuid::text, 'UP', '01936b2e-' || :run::text || '-7111-8' || :c::text || '-' || :n::text,
  '3d1b9afd-f6b8-8260-9705-34c25daebb86', '02', '', '448d22d4-766e-8d67-8156-a524421b0532', clock_timestamp(), 2,
  :run::text || :c::text || right(:n::text, 9), 'SUBMITTED', 'OUTPATIENT', 'ROUTINE', 3, '1f299e2f-dfd7-8b75-a9a0-4335049d20cc', '0301', '', 'I10',
  '01936b2e-' || :run::text || '-7111-8' || :c::text || '-' || :n::text || '|OUTPATIENT|3d1b9afd-f6b8-8260-9705-34c25daebb86|1f299e2f-dfd7-8b75-a9a0-4335049d20cc',
  '', '', false, '', '', false, NULL, NULL, '', '', '', clock_timestamp(), NULL, NULL, clock_timestamp(), clock_timestamp(), clock_timestamp(), 'I10', clock_timestamp(),
  decode(:b190, 'hex'), decode(:b860, 'hex'), NULL);
INSERT INTO history (county_code, referral_id, version, action, from_state, to_state, account_id, account_name, organization_id, occur_time,
  reason_code, remark)
VALUES ('450321', md5(:run::text || :c::text || :n::text)::uuid::text, 1, 'create', '', 'DRAFT', '448d22d4-766e-8d67-8156-a524421b0532', '张涛',
  '3d1b9afd-f6b8-8260-9705-34c25daebb86', clock_timestamp(), '', NULL);
INSERT INTO history (county_code, referral_id, version, action, from_state, to_state, account_id, account_name, organization_id, occur_time,
  reason_code, remark)
VALUES ('450321', md5(:run::text || :c::text || :n::text)::uuid::text, 2, 'submit', 'DRAFT', 'SUBMITTED', '448d22d4-766e-8d67-8156-a524421b0532',
  '张涛', '3d1b9afd-f6b8-8260-9705-34c25daebb86', clock_timestamp(), '', decode(:b120, 'hex'));
INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time, level, next_time)
VALUES ('450321', md5(:run::text || :c::text || :n::text)::uuid::text, 'ANSWER', clock_timestamp(), 'OPEN', clock_timestamp(), 0, clock_timestamp());
INSERT INTO deadline (county_code, referral_id, step, due_time, state, start_time, level, next_time)
VALUES ('450321', md5(:run::text || :c::text || :n::text)::uuid::text, 'NORM_CHECK', clock_timestamp(), 'OPEN', clock_timestamp(), 0, clock_timestamp());
INSERT INTO follow_up_task (county_code, id, referral_id, organization_id, patient_id, family_doctor, source, code, visit, due_date, state, done_time, result)
VALUES ('450321', md5(:run::text || :c::text || :n::text || 't')::uuid::text, md5(:run::text || :c::text || :n::text)::uuid::text,
  '3d1b9afd-f6b8-8260-9705-34c25daebb86', '01936b2e-' || :run::text || '-7111-8' || :c::text || '-' || :n::text, '448d22d4-766e-8d67-8156-a524421b0532',
  'NORM', 'HYPERTENSION_REFERRAL_CHECK', 0, '2026-03-18', 'OPEN', NULL, '');
INSERT INTO statistics_delta (county_code, batch_id, line, counter, day, bucket, n, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10)
VALUES ('450321', md5(:run::text || :c::text || :n::text || 's')::uuid::text, 0, 'submitted', 20260318, 0, 1, '3d1b9afd-f6b8-8260-9705-34c25daebb86', '02',
  '1f299e2f-dfd7-8b75-a9a0-4335049d20cc', '0301', '448d22d4-766e-8d67-8156-a524421b0532', 'I10', 'UP', 'OUTPATIENT', 'ROUTINE', 'REGULAR'),
  ('450321', md5(:run::text || :c::text || :n::text || 's')::uuid::text, 1, 'travelling', 20260318, 0, 1, '3d1b9afd-f6b8-8260-9705-34c25daebb86', '02',
  '1f299e2f-dfd7-8b75-a9a0-4335049d20cc', '0301', '448d22d4-766e-8d67-8156-a524421b0532', 'I10', 'UP', 'OUTPATIENT', 'ROUTINE', 'REGULAR');
INSERT INTO audit_entry (county_code, id, entry_time, account_id, organization_id, action, object_type, object_id, patient_id, detail)
VALUES ('450321', '01936b2e-' || :run::text || '-7222-8' || :c::text || '-' || :n::text, clock_timestamp(), '448d22d4-766e-8d67-8156-a524421b0532',
  '3d1b9afd-f6b8-8260-9705-34c25daebb86', 'referral.submit', 'referral', md5(:run::text || :c::text || :n::text)::uuid::text,
  '01936b2e-' || :run::text || '-7111-8' || :c::text || '-' || :n::text, 'version 2');
INSERT INTO request_log (county_code, account_id, method, request_id, body_hash, response, create_time)
VALUES ('450321', '448d22d4-766e-8d67-8156-a524421b0532', '/tongzhen.referral.v1.ReferralService/CreateReferral',
  '01936b2e-' || :run::text || '-7333-8' || :c::text || '-' || :n::text, decode(substr(:b120, 1, 64), 'hex'), decode(:b960, 'hex'), clock_timestamp());
INSERT INTO outbox (county_code, fact_id, subject, type, payload, traceparent, occur_time)
VALUES ('450321', '01936b2e-' || :run::text || '-7444-8' || :c::text || '-' || :n::text, 'referral.v1.450321.created', 'tongzhen.referral.v1.Created',
  decode(:b560, 'hex'), '00-391148a6d278216720b3a84ba86d0cdf-b7f011be2f571e6a-01', clock_timestamp());
INSERT INTO outbox (county_code, fact_id, subject, type, payload, traceparent, occur_time)
VALUES ('450321', '01936b2e-' || :run::text || '-7445-8' || :c::text || '-' || :n::text, 'referral.v1.450321.submitted', 'tongzhen.referral.v1.Submitted',
  decode(:b560, 'hex'), '00-391148a6d278216720b3a84ba86d0cdf-b7f011be2f571e6a-01', clock_timestamp());
COMMIT;
