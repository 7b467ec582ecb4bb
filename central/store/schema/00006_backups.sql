-- What boxes gave the centre to keep, in pieces.
-- +goose Up
CREATE TABLE backup (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	name   TEXT   NOT NULL,
	at     BIGINT NOT NULL, -- when all of it was here; 0: not yet
	pieces BIGINT NOT NULL,
	bytes  BIGINT NOT NULL,
	sum    TEXT   NOT NULL, -- SHA-256 of all pieces together
	PRIMARY KEY (hall, device, name)
);

CREATE TABLE backup_piece (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	name   TEXT   NOT NULL,
	number BIGINT NOT NULL,
	body   BYTEA  NOT NULL,
	PRIMARY KEY (hall, device, name, number)
);
