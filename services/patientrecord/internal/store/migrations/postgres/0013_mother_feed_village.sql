-- +goose Up
-- Whose child a patient is, as it was named when the child was new. Ids stay those of the records that were named: a merge is followed when
-- they are read.
CREATE TABLE mother (
    county_code     text NOT NULL,
    child_id        text NOT NULL,
    mother_id       text NOT NULL,
    account_id      text NOT NULL,
    organization_id text NOT NULL,
    create_time     timestamptz NOT NULL,
    PRIMARY KEY (county_code, child_id)
);
CREATE INDEX mother_children ON mother (county_code, mother_id);

-- The list of senders counts what waits in quarantine and what was stored lately, each by a range of an index of its own.
CREATE INDEX feed_message_quarantined ON feed_message (county_code, organization_id, sender) WHERE state = 'QUARANTINED';
CREATE INDEX feed_message_stored ON feed_message (county_code, organization_id, sender, receive_time) WHERE state = 'STORED';

-- The name of an organisation tells which village a clinic is of. It comes with the reading of the directory at the start.
ALTER TABLE recognition_organization ADD COLUMN name text NOT NULL DEFAULT '';
