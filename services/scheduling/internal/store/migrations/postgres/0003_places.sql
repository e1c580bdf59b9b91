-- +goose Up
-- Where a session comes from, its grade (GENERAL, EXPERT), its device, and whether it takes place. local_date is the county's.
ALTER TABLE session ADD COLUMN version integer NOT NULL DEFAULT 1;
ALTER TABLE session ADD COLUMN grade text NOT NULL DEFAULT 'GENERAL';
ALTER TABLE session ADD COLUMN template_id text NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN local_date text NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN equipment_id text NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN state text NOT NULL DEFAULT 'OPEN';
ALTER TABLE session ADD COLUMN reason_code text NOT NULL DEFAULT '';
ALTER TABLE session ADD COLUMN note text NOT NULL DEFAULT '';
CREATE INDEX session_by_time ON session (county_code, organization_id, start_time, id);
CREATE INDEX session_by_template ON session (county_code, template_id, start_time) WHERE template_id <> '';

-- pool: COMMON or RESERVED for townships. closed_by: why nobody may take it (OWN_PATIENT, BREAK, OTHER, CANCELLED); empty: it is open.
ALTER TABLE slot ADD COLUMN pool text NOT NULL DEFAULT 'COMMON';
ALTER TABLE slot ADD COLUMN closed_by text NOT NULL DEFAULT '';
CREATE INDEX slot_by_session ON slot (county_code, session_id, start_time);
CREATE INDEX slot_by_department ON slot (county_code, organization_id, department_code, start_time, id) WHERE closed_by = '';

CREATE TABLE equipment (
    county_code         text NOT NULL,
    id                  text NOT NULL,
    version             integer NOT NULL,
    organization_id     text NOT NULL,
    department_code     text NOT NULL,
    modality            text NOT NULL,
    name                text NOT NULL,
    location            text NOT NULL,
    preparation         text NOT NULL,
    preparation_english text NOT NULL,
    in_service          boolean NOT NULL,
    update_time         timestamptz NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX equipment_by_organization ON equipment (county_code, organization_id, department_code, id);

-- How slots open; organization_id '' is the county's.
CREATE TABLE booking_policy (
    county_code       text NOT NULL,
    organization_id   text NOT NULL,
    version           integer NOT NULL,
    reserve_percent   integer NOT NULL,
    expert_percent    integer NOT NULL,
    common_days       integer NOT NULL,
    reserve_lead_days integer NOT NULL,
    fallback_hours    integer NOT NULL,
    update_time       timestamptz NOT NULL,
    PRIMARY KEY (county_code, organization_id)
);
