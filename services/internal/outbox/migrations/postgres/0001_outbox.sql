-- +goose Up
CREATE TABLE outbox (
    county_code    text NOT NULL,
    fact_id        text NOT NULL,
    subject        text NOT NULL,
    type           text NOT NULL,
    payload        bytea NOT NULL,
    traceparent    text NOT NULL,
    occur_time     timestamptz NOT NULL,
    parked_until   timestamptz,
    published_time timestamptz,
    PRIMARY KEY (county_code, fact_id)
) WITH (fillfactor = 80);

CREATE INDEX outbox_waiting ON outbox (occur_time, fact_id) WHERE published_time IS NULL;
CREATE INDEX outbox_published ON outbox (published_time) WHERE published_time IS NOT NULL;

CREATE TABLE inbox (
    consumer     text NOT NULL,
    fact_id      text NOT NULL,
    handled_time timestamptz NOT NULL,
    PRIMARY KEY (consumer, fact_id)
);

CREATE INDEX inbox_handled_time ON inbox (handled_time);
