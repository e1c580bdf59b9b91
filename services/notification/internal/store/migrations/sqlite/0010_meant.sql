-- +goose Up
-- As whom a person is told: an array of recipients, in JSON. Empty for rows that are older than the column.
ALTER TABLE delivery ADD COLUMN meant text NOT NULL DEFAULT '';

-- The links of a message go with it.
CREATE INDEX acknowledge_link_delivery ON acknowledge_link (county_code, delivery_id);
