-- +goose Up
-- What a ward is for, who lies in it, and how long a bed is cleaned after somebody. out_reason '': the bed is in service.
ALTER TABLE ward ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE ward ADD COLUMN class text NOT NULL DEFAULT 'GENERAL';
ALTER TABLE ward ADD COLUMN sex text NOT NULL DEFAULT '';
ALTER TABLE ward ADD COLUMN cleaning_minutes integer NOT NULL DEFAULT 60;
ALTER TABLE bed ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE bed ADD COLUMN sex text NOT NULL DEFAULT '';
ALTER TABLE bed ADD COLUMN out_reason text NOT NULL DEFAULT '';
ALTER TABLE bed ADD COLUMN cleaning_until TIMESTAMP;

-- A referral as its facts told it last: an older version never replaces a newer one.
CREATE TABLE referral_case (
    county_code              text NOT NULL,
    referral_id              text NOT NULL,
    version                  integer NOT NULL,
    number                   text NOT NULL,
    patient_id               text NOT NULL,
    state                    text NOT NULL,
    direction                text NOT NULL,
    kind                     text NOT NULL,
    urgency                  text NOT NULL,
    sender_organization_id   text NOT NULL,
    receiver_organization_id text NOT NULL,
    receiver_department_code text NOT NULL,
    due_time                 TIMESTAMP,
    update_time              TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, referral_id)
);

-- The fallback list. place_rank 0 displaced, 1 emergency, 2 urgent, 3 routine: with create_time the order in which it is worked.
CREATE TABLE waitlist_entry (
    county_code            text NOT NULL,
    id                     text NOT NULL,
    version                integer NOT NULL,
    state                  text NOT NULL,
    referral_id            text NOT NULL,
    referral_version       integer NOT NULL,
    number                 text NOT NULL,
    patient_id             text NOT NULL,
    urgency                text NOT NULL,
    place_rank             integer NOT NULL,
    organization_id        text NOT NULL,
    department_code        text NOT NULL,
    sender_organization_id text NOT NULL,
    account_id             text NOT NULL,
    kind                   text NOT NULL,
    modality               text NOT NULL,
    practitioner_id        text NOT NULL,
    first_day              text NOT NULL,
    last_day               text NOT NULL,
    sex                    text NOT NULL,
    ward_class             text NOT NULL,
    hold_id                text NOT NULL,
    offer_start            TIMESTAMP,
    offer_until            TIMESTAMP,
    displaced_booking_id   text NOT NULL,
    create_time            TIMESTAMP NOT NULL,
    update_time            TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
-- A referral is on the list once.
CREATE UNIQUE INDEX waitlist_live ON waitlist_entry (county_code, referral_id) WHERE state IN ('WAITING', 'OFFERED');
CREATE INDEX waitlist_order ON waitlist_entry (county_code, organization_id, department_code, place_rank, create_time, id) WHERE state IN ('WAITING', 'OFFERED');
CREATE INDEX waitlist_sender ON waitlist_entry (county_code, sender_organization_id, place_rank, create_time, id);
CREATE INDEX waitlist_receiver ON waitlist_entry (county_code, organization_id, place_rank, create_time, id);

CREATE TABLE waiting_time (
    county_code     text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    kind            text NOT NULL,
    modality        text NOT NULL,
    next_start      TIMESTAMP,
    third_start     TIMESTAMP,
    free            integer NOT NULL,
    waiting         integer NOT NULL,
    compute_time    TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, organization_id, department_code, kind, modality)
);

-- Departments whose capacity changed, one row a change: nobody waits for another's row. Whoever works a department deletes the rows it saw.
CREATE TABLE capacity_change (
    county_code     text NOT NULL,
    id              text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    create_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
INSERT INTO capacity_change (county_code, id, organization_id, department_code, create_time)
    SELECT county_code, organization_id || department_code, organization_id, department_code, min(create_time) FROM session
    GROUP BY county_code, organization_id, department_code
    UNION ALL SELECT county_code, organization_id || department_code || 'beds', organization_id, department_code, min(create_time) FROM ward
    GROUP BY county_code, organization_id, department_code;

-- A day shows who did not come; whose booking was freed is found by its slot.
CREATE INDEX hold_no_show ON hold (county_code, slot_id) WHERE state = 'RELEASED' AND booking_id IS NOT NULL;
