-- +goose Up
-- What comes back with a referral's answer is a package like those that went with its submissions: one a referral.
ALTER TABLE handover_version ADD COLUMN reply boolean NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX handover_reply ON handover_version (county_code, referral_id) WHERE reply;

-- The documents of a package, each in the version that it had then. Whoever may see the package may open them.
CREATE TABLE handover_attachment (
    county_code        text    NOT NULL,
    referral_id        text    NOT NULL,
    referral_version   integer NOT NULL,
    attachment_id      text    NOT NULL,
    attachment_version integer NOT NULL,
    PRIMARY KEY (county_code, referral_id, referral_version, attachment_id)
);
CREATE INDEX handover_attachment_carried ON handover_attachment (county_code, attachment_id);
