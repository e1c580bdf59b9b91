-- +goose Up
-- Who is planned at a post: a department of an organisation, its desk (DESK), or the whole centre (empty).
CREATE TABLE roster (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    version         integer NOT NULL,
    update_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, organization_id, department_code),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);

-- Local HH:MM; one that ends at or before its start ends on the next day.
CREATE TABLE roster_shift (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    weekday         integer NOT NULL,
    start_clock     text    NOT NULL,
    end_clock       text    NOT NULL,
    account_id      text    NOT NULL,
    line            integer NOT NULL,
    PRIMARY KEY (county_code, organization_id, department_code, weekday, start_clock, end_clock, account_id, line),
    FOREIGN KEY (county_code, organization_id, department_code) REFERENCES roster (county_code, organization_id, department_code)
);

CREATE TABLE hand_over (
    county_code     text NOT NULL,
    id              text NOT NULL,
    organization_id text NOT NULL,
    department_code text NOT NULL,
    from_account_id text NOT NULL,
    to_account_id   text NOT NULL,
    start_time      timestamptz NOT NULL,
    end_time        timestamptz NOT NULL,
    note            text NOT NULL,
    account_id      text NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, organization_id, department_code) REFERENCES roster (county_code, organization_id, department_code)
);
CREATE INDEX hand_over_post ON hand_over (county_code, organization_id, department_code, end_time);
