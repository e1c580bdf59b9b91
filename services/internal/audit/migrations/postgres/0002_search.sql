-- +goose Up
-- What is searched by, newest first.
CREATE INDEX audit_entry_time ON audit_entry (county_code, entry_time, id);
CREATE INDEX audit_entry_account ON audit_entry (county_code, account_id, entry_time, id);
CREATE INDEX audit_entry_organization ON audit_entry (county_code, organization_id, entry_time, id);
CREATE INDEX audit_entry_patient ON audit_entry (county_code, patient_id, entry_time, id) WHERE patient_id <> '';
