-- The bare minimum of "referral, history, outbox": three inserts of about 600 bytes.
\set n :n + 1
\set c 100 + :client_id
BEGIN;
INSERT INTO bare_referral (id, body) VALUES ('01936b2e-' || :run::text || '-7000-8' || :c::text || '-' || :n::text, decode(:b560, 'hex'));
INSERT INTO bare_history (referral_id, version, body) VALUES ('01936b2e-' || :run::text || '-7000-8' || :c::text || '-' || :n::text, 1, decode(:b560, 'hex'));
INSERT INTO bare_outbox (id, body) VALUES ('01936b2e-' || :run::text || '-7001-8' || :c::text || '-' || :n::text, decode(:b560, 'hex'));
COMMIT;
