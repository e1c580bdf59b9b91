-- +goose Up
-- What is over is deleted after its time; what still waits is not in the way.
CREATE INDEX reminder_over ON reminder (county_code, start_time) WHERE state <> 'WAITING';
CREATE INDEX call_task_over ON call_task (county_code, create_time) WHERE state <> 'OPEN';
