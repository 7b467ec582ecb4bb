-- +goose Up
CREATE TABLE origin (
	one    INTEGER PRIMARY KEY CHECK (one = 1),
	device TEXT NOT NULL,
	epoch  INTEGER NOT NULL
) STRICT;

-- What was appended is never changed: the triggers below keep it so.
CREATE TABLE journal (
	seq     INTEGER PRIMARY KEY,
	at      INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	body    TEXT NOT NULL,
	request TEXT,
	answer  TEXT,
	hash    BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE UNIQUE INDEX journal_request ON journal (request) WHERE request IS NOT NULL;
-- +goose StatementBegin
CREATE TRIGGER journal_keep BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER journal_whole BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is never shortened'); END;
-- +goose StatementEnd

-- Everything below is state: it follows from the journal. Every table and index
-- that an event touches is a page more to sync, so what can be counted when the
-- file is opened (who waits, what is to print, numbers of the day) has no index.

-- Written when the program starts and when the business day or its alarm
-- changes: where the journal stood then, and the highest ids before this day.
CREATE TABLE head (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	seq   INTEGER NOT NULL,
	hash  BLOB NOT NULL,
	day   TEXT NOT NULL,
	alarm TEXT NOT NULL,
	calls INTEGER NOT NULL,
	legs  INTEGER NOT NULL,
	jobs  INTEGER NOT NULL
) STRICT;

-- The legs of a visit are made together: leg, leg + 1, ... Its original slip is
-- job, 0 for none.
CREATE TABLE visit (
	day       TEXT NOT NULL,
	number    TEXT NOT NULL,
	id        TEXT NOT NULL UNIQUE,
	prefix    TEXT NOT NULL,
	n         INTEGER NOT NULL,
	band      TEXT NOT NULL,
	leg       INTEGER NOT NULL,
	legs      INTEGER NOT NULL,
	job       INTEGER NOT NULL,
	item      TEXT NOT NULL,
	flow      TEXT NOT NULL,
	stage     TEXT NOT NULL,
	class     TEXT NOT NULL,
	claimed   TEXT NOT NULL,
	granter   TEXT NOT NULL,
	channel   TEXT NOT NULL,
	kiosk     TEXT NOT NULL,
	name      TEXT NOT NULL,
	person    TEXT NOT NULL,
	taken     INTEGER NOT NULL,
	unsettled INTEGER NOT NULL,
	PRIMARY KEY (day, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX visit_person ON visit (person, day) WHERE person <> '';

CREATE TABLE leg (
	id       INTEGER PRIMARY KEY,
	visit    TEXT NOT NULL,
	number   TEXT NOT NULL,
	item     TEXT NOT NULL,
	queue    TEXT NOT NULL,
	class    TEXT NOT NULL,
	state    TEXT NOT NULL CHECK (state IN ('waiting','called','serving','served','held','skipped','cancelled','expired')),
	arrival  INTEGER NOT NULL,
	virtual  INTEGER NOT NULL,
	window   TEXT NOT NULL,
	call     INTEGER NOT NULL,
	recalls  INTEGER NOT NULL,
	returned INTEGER NOT NULL,
	since    INTEGER NOT NULL,
	priority INTEGER NOT NULL CHECK (priority IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX leg_one_visit ON leg (visit) WHERE state IN ('called','serving');
CREATE INDEX leg_parked ON leg (window) WHERE state IN ('held','skipped');
CREATE UNIQUE INDEX leg_one_window ON leg (window) WHERE state IN ('called','serving');

CREATE TABLE job (
	id      INTEGER PRIMARY KEY,
	visit   TEXT NOT NULL,
	printer TEXT NOT NULL,
	copy    INTEGER NOT NULL,
	state   TEXT NOT NULL CHECK (state IN ('pending','printing','printed','unknown','failed')),
	reason  TEXT NOT NULL,
	at      INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX job_copy ON job (visit, copy) WHERE copy > 0;

CREATE TABLE call (
	seq      INTEGER PRIMARY KEY,
	prev     INTEGER NOT NULL, -- the call of this leg before this one, 0 for none
	visit    TEXT NOT NULL,
	leg      INTEGER NOT NULL REFERENCES leg (id),
	number   TEXT NOT NULL,
	item     TEXT NOT NULL,
	class    TEXT NOT NULL,
	window   TEXT NOT NULL,
	recall   INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	by       TEXT NOT NULL,
	reason   TEXT NOT NULL,
	why      TEXT NOT NULL,
	run      INTEGER NOT NULL, -- priority calls in a row at the window, this one included
	delivery TEXT NOT NULL
) STRICT;

CREATE TABLE desk (
	window TEXT NOT NULL PRIMARY KEY,
	state  TEXT NOT NULL,
	clerk  TEXT NOT NULL,
	notice TEXT NOT NULL,
	groups TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE appointment (
	code  TEXT NOT NULL PRIMARY KEY,
	item  TEXT NOT NULL,
	at    INTEGER NOT NULL,
	name  TEXT NOT NULL,
	visit TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The self-check writes here; it is no part of the state.
CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL) STRICT;
