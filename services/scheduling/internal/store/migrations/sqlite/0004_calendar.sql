-- +goose Up
-- Sessions that come back. Days are the county's, YYYY-MM-DD, '' for none; starts and ends minutes of the day; weekdays and digits are numbers with
-- commas. planned_through is the day up to which its sessions are made: '' after every change of what they follow from.
CREATE TABLE schedule_template (
    county_code       text NOT NULL,
    id                text NOT NULL,
    version           integer NOT NULL,
    organization_id   text NOT NULL,
    department_code   text NOT NULL,
    kind              text NOT NULL,
    grade             text NOT NULL,
    practitioner_id   text NOT NULL,
    practitioner_name text NOT NULL,
    equipment_id      text NOT NULL,
    location          text NOT NULL,
    pattern           text NOT NULL,
    weekdays          text NOT NULL,
    every             integer NOT NULL,
    anchor            text NOT NULL,
    digits            text NOT NULL,
    first_day         text NOT NULL,
    last_day          text NOT NULL,
    starts            integer NOT NULL,
    ends              integer NOT NULL,
    slot_minutes      integer NOT NULL,
    on_holidays       boolean NOT NULL,
    planned_through   text NOT NULL,
    update_time       TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX schedule_template_by_organization ON schedule_template (county_code, organization_id, department_code, kind, id);
CREATE INDEX schedule_template_planned ON schedule_template (planned_through, county_code, id);

-- Departures from the templates; '' means for all.
CREATE TABLE schedule_exception (
    county_code     text NOT NULL,
    id              text NOT NULL,
    version         integer NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    template_id     text NOT NULL,
    practitioner_id text NOT NULL,
    first_day       text NOT NULL,
    last_day        text NOT NULL,
    effect          text NOT NULL,
    weekday         integer NOT NULL,
    substitute_id   text NOT NULL,
    substitute_name text NOT NULL,
    substitute_place text NOT NULL,
    reason_code     text NOT NULL,
    note            text NOT NULL,
    update_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX schedule_exception_by_day ON schedule_exception (county_code, organization_id, last_day, id);

-- by_hand: practitioner and room were changed for this day alone, so that the template does not change them back. rebooking: the session is cancelled
-- and some of its holds have not been dealt with yet.
ALTER TABLE session ADD COLUMN by_hand boolean NOT NULL DEFAULT false;
ALTER TABLE session ADD COLUMN rebooking boolean NOT NULL DEFAULT false;
CREATE INDEX session_rebooking ON session (county_code, id) WHERE rebooking;
CREATE INDEX session_by_day ON session (county_code, organization_id, department_code, local_date);

-- displaced_time: since when the session of a hold or booking is cancelled and no other place was free.
ALTER TABLE hold ADD COLUMN displaced_time TIMESTAMP;
CREATE INDEX hold_displaced ON hold (county_code, organization_id, department_code, displaced_time, id) WHERE displaced_time IS NOT NULL;
CREATE INDEX hold_by_slot ON hold (county_code, slot_id) WHERE slot_id <> '';

-- What became of the holds of a cancelled session: the answer of the cancellation. slot_id is the new one, '' for displaced and ended.
CREATE TABLE session_move (
    county_code text NOT NULL,
    session_id  text NOT NULL,
    hold_id     text NOT NULL,
    booking_id  text NOT NULL,
    referral_id text NOT NULL,
    slot_id     text NOT NULL,
    outcome     text NOT NULL,
    PRIMARY KEY (county_code, session_id, hold_id)
);

-- Departments whose reserve is to be spread anew because the policy changed, one row a change.
CREATE TABLE spread_due (
    county_code     text NOT NULL,
    id              text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    PRIMARY KEY (county_code, id)
);

-- Sessions of before have the day of the one zone there is.
UPDATE session SET local_date = strftime('%Y-%m-%d', start_time, '+8 hours') WHERE local_date = '';
