-- +goose Up
-- Records that were found to be of one person. merged_id keeps its rows; root_id is where it leads now: the survivor, or what that was merged
-- into. reason and undo_reason are sealed. A merge that was undone keeps its row.
CREATE TABLE patient_merge (
    county_code          text NOT NULL,
    id                   text NOT NULL,
    merged_id            text NOT NULL,
    survivor_id          text NOT NULL,
    root_id              text NOT NULL,
    match_id             text NOT NULL,
    account_id           text NOT NULL,
    organization_id      text NOT NULL,
    merge_time           timestamptz NOT NULL,
    reason               bytea NOT NULL,
    undo_account_id      text NOT NULL,
    undo_organization_id text NOT NULL,
    undo_time            timestamptz,
    undo_reason          bytea,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, merged_id) REFERENCES patient (county_code, id),
    FOREIGN KEY (county_code, survivor_id) REFERENCES patient (county_code, id)
);
CREATE UNIQUE INDEX patient_merge_merged ON patient_merge (county_code, merged_id) WHERE undo_time IS NULL;
CREATE INDEX patient_merge_root ON patient_merge (county_code, root_id) WHERE undo_time IS NULL;
CREATE INDEX patient_merge_survivor ON patient_merge (county_code, survivor_id);
CREATE INDEX patient_merge_history ON patient_merge (county_code, merged_id);

-- Two records that may be of one person, and what a person said of them. agrees and differs are names of features; reason is sealed.
CREATE TABLE patient_match (
    county_code     text     NOT NULL,
    id              text     NOT NULL,
    first_id        text     NOT NULL,
    second_id       text     NOT NULL,
    version         integer  NOT NULL,
    state           text     NOT NULL,
    score           integer  NOT NULL,
    agrees          text     NOT NULL,
    differs         text     NOT NULL,
    account_id      text     NOT NULL,
    organization_id text     NOT NULL,
    decide_time     timestamptz,
    reason          bytea,
    create_time     timestamptz NOT NULL,
    update_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, first_id) REFERENCES patient (county_code, id),
    FOREIGN KEY (county_code, second_id) REFERENCES patient (county_code, id)
);
CREATE UNIQUE INDEX patient_match_pair ON patient_match (county_code, first_id, second_id);
CREATE INDEX patient_match_second ON patient_match (county_code, second_id);
CREATE INDEX patient_match_open ON patient_match (county_code, score DESC, id) WHERE state = 'OPEN';

-- Which generation of search terms a county's patients have, and how far writing them anew has come.
CREATE TABLE patient_index (
    county_code text    NOT NULL,
    generation  integer NOT NULL,
    after_id    text    NOT NULL,
    done        boolean NOT NULL,
    PRIMARY KEY (county_code)
);
