-- +goose Up
-- The counties whose figures hold everything that happened, and for which counters, dimensions and totals that is so.
CREATE TABLE figures_built (
    county_code text NOT NULL PRIMARY KEY,
    fingerprint text NOT NULL,
    build_time  TIMESTAMP NOT NULL
);
