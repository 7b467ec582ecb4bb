-- +goose Up

-- The fault behind the state of a part, by its id in the doctor's list; empty: unknown.
ALTER TABLE health ADD COLUMN fault TEXT NOT NULL DEFAULT '';
