-- +goose Up
-- The id is made of organisation, name and specification; initials are those of the name in pinyin, in small letters.
CREATE TABLE formulary_item (
    county_code      text    NOT NULL,
    id               text    NOT NULL,
    version          integer NOT NULL,
    organization_id  text    NOT NULL,
    name             text NOT NULL,
    specification    text NOT NULL,
    initials         text    NOT NULL,
    atc              text    NOT NULL,
    stock            text    NOT NULL,
    orderable        boolean NOT NULL,
    restricted_class text    NOT NULL,
    removed          boolean NOT NULL,
    create_time      TIMESTAMP NOT NULL,
    update_time      TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);
CREATE UNIQUE INDEX formulary_item_name ON formulary_item (county_code, organization_id, name, specification);

-- An organisation of which something was said: the version of all its capabilities together.
CREATE TABLE capability_set (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    version         integer NOT NULL,
    update_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, organization_id),
    FOREIGN KEY (county_code, organization_id) REFERENCES organization (county_code, id)
);

CREATE TABLE capability (
    county_code     text NOT NULL,
    organization_id text NOT NULL,
    code            text NOT NULL,
    note            text NOT NULL,
    PRIMARY KEY (county_code, organization_id, code),
    FOREIGN KEY (county_code, organization_id) REFERENCES capability_set (county_code, organization_id)
);
