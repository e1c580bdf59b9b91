-- +goose Up
CREATE TABLE session (
    county_code       text NOT NULL,
    id                text NOT NULL,
    organization_id   text NOT NULL,
    department_code   text NOT NULL,
    kind              text NOT NULL,
    practitioner_id   text NOT NULL,
    practitioner_name text NOT NULL,
    location          text NOT NULL,
    start_time        timestamptz NOT NULL,
    end_time          timestamptz NOT NULL,
    slot_minutes      integer NOT NULL,
    create_time       timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);

CREATE TABLE slot (
    county_code     text NOT NULL,
    id              text NOT NULL,
    session_id      text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    start_time      timestamptz NOT NULL,
    end_time        timestamptz NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, session_id) REFERENCES session (county_code, id)
);
CREATE INDEX slot_by_time ON slot (county_code, organization_id, start_time, id);

CREATE TABLE ward (
    county_code     text NOT NULL,
    id              text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    name            text NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);

CREATE TABLE bed (
    county_code     text NOT NULL,
    id              text NOT NULL,
    ward_id         text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    label           text NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, ward_id) REFERENCES ward (county_code, id)
);
CREATE INDEX bed_by_department ON bed (county_code, organization_id, department_code, id);

CREATE TABLE hold (
    county_code     text NOT NULL,
    id              text NOT NULL,
    version         integer NOT NULL,
    account_id      text NOT NULL,
    -- Who may read it besides the organisation of the place.
    reader_organization_id text NOT NULL,
    patient_id      text NOT NULL,
    slot_id         text NOT NULL,
    bed_id          text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    start_time      timestamptz NOT NULL,
    end_time        timestamptz,
    state           text NOT NULL,
    referral_id     text,
    booking_id      text,
    expire_time     timestamptz NOT NULL,
    keep_until_time timestamptz,
    check_time      timestamptz,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE UNIQUE INDEX hold_booking ON hold (county_code, booking_id) WHERE booking_id IS NOT NULL;
CREATE INDEX hold_referral ON hold (county_code, referral_id) WHERE referral_id IS NOT NULL;
CREATE INDEX hold_account ON hold (county_code, account_id) WHERE state = 'HELD';
CREATE INDEX hold_check ON hold (check_time) WHERE check_time IS NOT NULL;

-- The one hold or booking that takes a slot or bed. Its key is why a place is never taken twice.
CREATE TABLE occupancy (
    county_code text NOT NULL,
    place_id    text NOT NULL,
    hold_id     text NOT NULL,
    until_time  timestamptz,
    PRIMARY KEY (county_code, place_id)
);
CREATE UNIQUE INDEX occupancy_hold ON occupancy (county_code, hold_id);
CREATE INDEX occupancy_until ON occupancy (until_time) WHERE until_time IS NOT NULL;
