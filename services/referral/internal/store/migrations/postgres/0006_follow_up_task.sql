-- +goose Up
-- The township's work list: planned visits of follow-ups (PLAN) and checks that national norms ask for (NORM).
CREATE TABLE follow_up_task (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    referral_id     text    NOT NULL,
    organization_id text    NOT NULL,
    patient_id      text    NOT NULL,
    family_doctor   text    NOT NULL,
    source          text    NOT NULL,
    code            text    NOT NULL,
    visit           integer NOT NULL,
    -- Local day, YYYY-MM-DD; of a visit that nobody had planned the day on which it was made.
    due_date        text    NOT NULL,
    state           text    NOT NULL,
    done_time       timestamptz,
    result          text    NOT NULL,
    -- Sealed: what was said with a check.
    remark          bytea,
    PRIMARY KEY (county_code, id),
    FOREIGN KEY (county_code, referral_id) REFERENCES referral (county_code, id)
);
CREATE INDEX follow_up_task_due ON follow_up_task (county_code, organization_id, state, due_date, id);
CREATE INDEX follow_up_task_referral ON follow_up_task (county_code, referral_id, source);
