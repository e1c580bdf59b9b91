-- +goose Up
-- Who wrote a version, where and why. author_id wrote the first version, writer_id this one; names, the note and what was written are in the
-- sealed content. change_kind is empty for what was written before. record_time is when the first version was written, end_time that of a visit.
ALTER TABLE clinical_entry ADD COLUMN author_id text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN writer_id text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN organization_id text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN change_kind text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN reason_code text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN after_sealing boolean NOT NULL DEFAULT FALSE;
ALTER TABLE clinical_entry ADD COLUMN encounter_id text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN referral_id text NOT NULL DEFAULT '';
ALTER TABLE clinical_entry ADD COLUMN record_time TIMESTAMP;
ALTER TABLE clinical_entry ADD COLUMN end_time TIMESTAMP;
CREATE INDEX clinical_entry_time ON clinical_entry (county_code, patient_id, effective_time DESC, id DESC) WHERE is_current;
