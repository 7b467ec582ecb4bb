-- +goose Up
-- Ranges of numbers: all that were granted, at a host; its own, at a box that
-- has joined. used is the last number given from it, at the box.
CREATE TABLE reserve (
	prefix TEXT NOT NULL,
	day    TEXT NOT NULL,
	low    INTEGER NOT NULL,
	high   INTEGER NOT NULL CHECK (high >= low),
	device TEXT NOT NULL,
	epoch  INTEGER NOT NULL,
	term   INTEGER NOT NULL,
	used   INTEGER NOT NULL,
	PRIMARY KEY (prefix, low, day)
) STRICT, WITHOUT ROWID;

-- Numbers and ranges that a host continues behind, after it learned that it had
-- been set back.
CREATE TABLE floor (
	what   TEXT NOT NULL CHECK (what IN ('number', 'range')),
	prefix TEXT NOT NULL,
	day    TEXT NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (what, prefix)
) STRICT, WITHOUT ROWID;

CREATE TABLE term (one INTEGER PRIMARY KEY CHECK (one = 1), term INTEGER NOT NULL, host TEXT NOT NULL) STRICT;

-- Boxes of the hall, at its host.
CREATE TABLE box (
	device TEXT NOT NULL PRIMARY KEY,
	epoch  INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	at     INTEGER NOT NULL,
	places TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Tickets of a box that has joined: given by the host, or owed to it. What was
-- true when they were given is printed, however late.
CREATE TABLE kept (
	visit    TEXT NOT NULL PRIMARY KEY,
	seq      INTEGER NOT NULL,
	owed     INTEGER NOT NULL CHECK (owed IN (0, 1)),
	ahead    INTEGER NOT NULL,
	estimate INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_owed ON kept (seq) WHERE owed = 1;
