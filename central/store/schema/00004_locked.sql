-- +goose Up

-- When a person was locked out; 0: not.
ALTER TABLE person ADD COLUMN locked BIGINT NOT NULL DEFAULT 0;
