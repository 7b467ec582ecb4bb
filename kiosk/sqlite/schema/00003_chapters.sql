-- +goose Up
-- The origins whose journal this file goes on with: rows up to last are theirs.
-- The table origin names the one that is being written.
CREATE TABLE chapter (
	last   INTEGER PRIMARY KEY,
	device TEXT NOT NULL,
	epoch  INTEGER NOT NULL
) STRICT;
