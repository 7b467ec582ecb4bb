-- +goose Up

-- Versions of hall documents; nothing changes or removes one. A document bears
-- the name of the hall that it was written for.
CREATE TABLE document (
	name    TEXT   NOT NULL,
	version BIGINT NOT NULL,
	text    TEXT   NOT NULL,
	note    TEXT   NOT NULL, -- what was changed
	author  TEXT   NOT NULL,
	at      BIGINT NOT NULL,
	PRIMARY KEY (name, version)
);

-- A version that a hall shall use from a moment on. At any moment the one with
-- the latest start is in force, and of those the one with the highest number.
CREATE TABLE publication (
	hall      TEXT   NOT NULL,
	number    BIGINT NOT NULL,
	name      TEXT   NOT NULL,
	version   BIGINT NOT NULL,
	starts    BIGINT NOT NULL,
	author    TEXT   NOT NULL,
	at        BIGINT NOT NULL,
	withdrawn BIGINT NOT NULL, -- 0: not
	PRIMARY KEY (hall, number)
);

-- Which message told a box of a publication; the message holds the box's answer.
CREATE TABLE publication_box (
	hall   TEXT   NOT NULL,
	number BIGINT NOT NULL,
	device TEXT   NOT NULL,
	message BIGINT NOT NULL,
	PRIMARY KEY (hall, number, device)
);

-- The last number that was given under a name.
CREATE TABLE counter (
	name TEXT   NOT NULL PRIMARY KEY,
	last BIGINT NOT NULL
);

-- The publication that a box has said it uses; 0: none, its own file.
ALTER TABLE device ADD COLUMN document BIGINT NOT NULL DEFAULT 0;
