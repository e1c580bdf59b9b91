-- +goose Up
-- Organisations as the directory tells them: what recognition needs to know of who stands above whom.
CREATE TABLE recognition_organization (
    county_code text    NOT NULL,
    id          text    NOT NULL,
    version     integer NOT NULL,
    type        text    NOT NULL,
    PRIMARY KEY (county_code, id)
);

-- What a county set of the catalogue ("item:CODE") and of the directions ("directions"), every version. An empty body: as shipped again.
CREATE TABLE recognition_setting (
    county_code     text    NOT NULL,
    name            text    NOT NULL,
    version         integer NOT NULL,
    is_current      boolean NOT NULL,
    body            text    NOT NULL,
    account_id      text    NOT NULL,
    organization_id text    NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, name, version)
);
CREATE UNIQUE INDEX recognition_setting_current ON recognition_setting (county_code, name) WHERE is_current;

-- Notes of what was ordered. Lines (items, decisions, reasons, evidence) are sealed; day is the county's local day, by which figures count.
-- Rows are never changed.
CREATE TABLE exam_order (
    county_code     text NOT NULL,
    id              text NOT NULL,
    patient_id      text NOT NULL,
    organization_id text NOT NULL,
    account_id      text NOT NULL,
    setting         text NOT NULL,
    referral_id     text NOT NULL,
    day             text NOT NULL,
    lines           bytea NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, patient_id) REFERENCES patient (county_code, id)
);
CREATE INDEX exam_order_patient ON exam_order (county_code, patient_id, id DESC);
CREATE INDEX exam_order_day ON exam_order (county_code, day, id);

-- Which results were recognised by whom: entry and version.
CREATE TABLE recognition (
    county_code     text    NOT NULL,
    order_id        text    NOT NULL,
    line            integer NOT NULL,
    entry_id        text    NOT NULL,
    entry_version   integer NOT NULL,
    organization_id text    NOT NULL,
    account_id      text    NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, order_id, line, entry_id),
    FOREIGN KEY (county_code, order_id) REFERENCES exam_order (county_code, id)
);
CREATE INDEX recognition_entry ON recognition (county_code, entry_id, organization_id);
