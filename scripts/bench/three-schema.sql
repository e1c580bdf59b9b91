CREATE TABLE bare_referral (id text PRIMARY KEY, body bytea NOT NULL);
CREATE TABLE bare_history (referral_id text NOT NULL REFERENCES bare_referral (id), version integer NOT NULL, body bytea NOT NULL, PRIMARY KEY (referral_id, version));
CREATE TABLE bare_outbox (id text PRIMARY KEY, body bytea NOT NULL);
