-- +goose Up
-- Where scheduling moved a hold or booking last: an older version never replaces a newer one. A move between the confirmation and the acceptance is
-- read at the acceptance.
CREATE TABLE booking_move (
    county_code text NOT NULL,
    hold_id     text NOT NULL,
    version     integer NOT NULL,
    booking_id  text NOT NULL,
    from_time   TIMESTAMP NOT NULL,
    to_time     TIMESTAMP,
    PRIMARY KEY (county_code, hold_id)
);
