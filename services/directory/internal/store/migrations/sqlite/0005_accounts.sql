-- +goose Up
-- A one-time password has to be changed before anything else.
ALTER TABLE credential ADD COLUMN one_time boolean NOT NULL DEFAULT FALSE;

-- What an account said after each change, and who made it; '' before it was recorded.
CREATE TABLE account_change (
    county_code     text    NOT NULL,
    account_id      text    NOT NULL,
    version         integer NOT NULL,
    action          text    NOT NULL,
    name            text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    roles           text    NOT NULL,
    phone           text    NOT NULL,
    email           text    NOT NULL,
    disabled        boolean NOT NULL,
    by_account_id   text    NOT NULL,
    change_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, account_id, version),
    FOREIGN KEY (county_code, account_id) REFERENCES account (county_code, id)
);
INSERT INTO account_change (county_code, account_id, version, action, name, organization_id, department_code, roles, phone, email, disabled, by_account_id, change_time)
SELECT county_code, id, version, 'account.known', name, organization_id, department_code, roles, phone, email, disabled, '', update_time FROM account;

CREATE INDEX session_account ON session (county_code, account_id) WHERE end_time IS NULL;
CREATE INDEX roster_shift_account ON roster_shift (county_code, account_id);
