-- +goose Up
-- Where the directory says that a person is reached, sealed, until they say otherwise; addresses_read is false for a row that is older than these.
-- An empty *_masked is no address.
ALTER TABLE account ADD COLUMN phone blob;
ALTER TABLE account ADD COLUMN phone_masked text NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN email blob;
ALTER TABLE account ADD COLUMN email_masked text NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN addresses_read boolean NOT NULL DEFAULT false;

-- Who sent the patient is to telephone, too.
ALTER TABLE call_task ADD COLUMN originator_organization_id text NOT NULL DEFAULT '';
CREATE INDEX call_task_sent ON call_task (county_code, originator_organization_id, create_time, id);
