-- +goose Up
ALTER TABLE account ADD COLUMN email text NOT NULL DEFAULT '';
