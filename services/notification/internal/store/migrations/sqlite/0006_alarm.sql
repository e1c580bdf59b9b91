-- +goose Up
-- An alarm that the entry sounds for, and how often it rang at this account; what scheduling's facts are about.
ALTER TABLE entry ADD COLUMN alarm_id text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN rings integer NOT NULL DEFAULT 0;
ALTER TABLE entry ADD COLUMN booking_id text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN start_time TIMESTAMP;
ALTER TABLE entry ADD COLUMN session_id text NOT NULL DEFAULT '';
ALTER TABLE entry ADD COLUMN waitlist_id text NOT NULL DEFAULT '';
CREATE INDEX entry_alarm ON entry (county_code, alarm_id) WHERE alarm_id <> '';

-- An emergency that rings until somebody acknowledges, or its referral waits no more.
CREATE TABLE alarm (
    county_code                text    NOT NULL,
    id                         text    NOT NULL,
    referral_id                text    NOT NULL,
    referral_number            text    NOT NULL,
    fact_id                    text    NOT NULL,
    event                      text    NOT NULL,
    occur_time                 TIMESTAMP NOT NULL,
    direction                  text    NOT NULL,
    actor_organization_id      text    NOT NULL,
    originator_account_id      text    NOT NULL,
    originator_organization_id text    NOT NULL,
    originator_department_code text    NOT NULL,
    receiver_organization_id   text    NOT NULL,
    receiver_department_code   text    NOT NULL,
    state                      text    NOT NULL,
    create_time                TIMESTAMP NOT NULL,
    rings                      integer NOT NULL,
    level                      integer NOT NULL,
    last_ring_time             TIMESTAMP,
    next_ring_time             TIMESTAMP NOT NULL,
    call_time                  TIMESTAMP NOT NULL,
    call_id                    text    NOT NULL,
    acknowledge_time           TIMESTAMP,
    acknowledge_account_id     text    NOT NULL,
    acknowledge_channel        text    NOT NULL,
    lease_owner                text    NOT NULL DEFAULT '',
    lease_until                TIMESTAMP,
    fence                      bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX alarm_due ON alarm (next_ring_time) WHERE state = 'RINGING';
CREATE INDEX alarm_referral ON alarm (county_code, referral_id) WHERE state = 'RINGING';

-- A telephone call to be made. callees are accounts and what they are called as, in order; their numbers are asked for when somebody looks.
CREATE TABLE call_task (
    county_code     text    NOT NULL,
    id              text    NOT NULL,
    version         integer NOT NULL,
    state           text    NOT NULL,
    alarm_id        text    NOT NULL,
    referral_id     text    NOT NULL,
    referral_number text    NOT NULL,
    urgency         text    NOT NULL,
    step            text    NOT NULL,
    organization_id text    NOT NULL,
    callees         text    NOT NULL,
    create_time     TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, id)
);
CREATE INDEX call_task_newest ON call_task (county_code, organization_id, create_time, id);
CREATE INDEX call_task_open ON call_task (county_code, create_time, id) WHERE state = 'OPEN';

CREATE TABLE call_record (
    county_code        text    NOT NULL,
    call_id            text    NOT NULL,
    number             integer NOT NULL,
    outcome            text    NOT NULL,
    reached_account_id text    NOT NULL,
    reached_name       text    NOT NULL,
    note               text    NOT NULL,
    account_id         text    NOT NULL,
    record_time        TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, call_id, number),
    FOREIGN KEY (county_code, call_id) REFERENCES call_task (county_code, id)
);

-- Lists are words with blanks between.
CREATE TABLE preference (
    county_code      text    NOT NULL,
    account_id       text    NOT NULL,
    version          integer NOT NULL,
    urgent           text    NOT NULL,
    routine          text    NOT NULL,
    quiet_from       text    NOT NULL,
    quiet_to         text    NOT NULL,
    digest_times     text    NOT NULL,
    language         text    NOT NULL,
    sound_for_urgent boolean NOT NULL,
    update_time      TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code, account_id)
);

CREATE TABLE county_rules (
    county_code      text    NOT NULL,
    version          integer NOT NULL,
    allowed          text    NOT NULL,
    always_emergency text    NOT NULL,
    always_urgent    text    NOT NULL,
    quiet_allowed    boolean NOT NULL,
    quiet_hours_most integer NOT NULL,
    ring_seconds     integer NOT NULL,
    call_minutes     integer NOT NULL,
    patient_sms      boolean NOT NULL,
    update_time      TIMESTAMP NOT NULL,
    PRIMARY KEY (county_code)
);

-- What this service knows of the directory's duty rosters.
CREATE TABLE roster_copy (
    county_code     text    NOT NULL,
    organization_id text    NOT NULL,
    department_code text    NOT NULL,
    version         integer NOT NULL,
    plan            text    NOT NULL,
    PRIMARY KEY (county_code, organization_id, department_code)
);

-- What the newest fact of a referral said of its sides: scheduling's facts name its id only.
CREATE TABLE referral_known (
    county_code                text    NOT NULL,
    referral_id                text    NOT NULL,
    version                    integer NOT NULL,
    referral_number            text    NOT NULL,
    direction                  text    NOT NULL,
    urgency                    text    NOT NULL,
    patient_id                 text    NOT NULL,
    family_doctor              text    NOT NULL,
    originator_account_id      text    NOT NULL,
    originator_organization_id text    NOT NULL,
    originator_department_code text    NOT NULL,
    receiver_organization_id   text    NOT NULL,
    receiver_department_code   text    NOT NULL,
    PRIMARY KEY (county_code, referral_id)
);

-- A patient is reminded on the evening before. A booking that was freed never comes back.
CREATE TABLE reminder (
    county_code text    NOT NULL,
    booking_id  text    NOT NULL,
    referral_id text    NOT NULL,
    version     integer NOT NULL,
    start_time  TIMESTAMP NOT NULL,
    due_time    TIMESTAMP NOT NULL,
    state       text    NOT NULL,
    lease_owner text    NOT NULL DEFAULT '',
    lease_until TIMESTAMP,
    fence       bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (county_code, booking_id)
);
CREATE INDEX reminder_due ON reminder (due_time) WHERE state = 'WAITING';
