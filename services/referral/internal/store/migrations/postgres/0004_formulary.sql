-- +goose Up
-- What directory told of medicine lists and capabilities. stem is the name without its dosage form, in one way of writing.
CREATE TABLE formulary_item (
    county_code      text    NOT NULL,
    id               text    NOT NULL,
    organization_id  text    NOT NULL,
    version          integer NOT NULL,
    name             text    NOT NULL,
    specification    text    NOT NULL,
    stem             text    NOT NULL,
    atc              text    NOT NULL,
    in_stock         boolean NOT NULL,
    orderable        boolean NOT NULL,
    restricted_class text    NOT NULL,
    removed          boolean NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX formulary_item_organization ON formulary_item (county_code, organization_id, name, specification) WHERE NOT removed;
CREATE INDEX formulary_item_stem ON formulary_item (county_code, stem) WHERE NOT removed;

CREATE TABLE organization_capability (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    version         integer NOT NULL,
    codes           text    NOT NULL,
    PRIMARY KEY (county_code, organization_id)
);
