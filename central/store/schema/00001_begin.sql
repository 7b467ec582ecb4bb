-- One schema for both engines: SQLite gives BIGINT and BYTEA the same meaning.
-- Times are milliseconds since 1970. Every large table begins its key with the
-- origin or the hall, so that it can be spread over machines one day.
-- +goose Up

-- A journal that some device of a hall keeps. id follows from the other three.
CREATE TABLE origin (
	id      BIGINT NOT NULL PRIMARY KEY,
	hall    TEXT   NOT NULL,
	device  TEXT   NOT NULL,
	epoch   BIGINT NOT NULL,
	through BIGINT NOT NULL, -- the last event that was committed
	hash    BYTEA  NOT NULL, -- and its hash
	at      BIGINT NOT NULL, -- and its time
	heard   BIGINT NOT NULL, -- when the last batch came
	drift   BIGINT NOT NULL, -- sender's clock minus ours, then
	more    BIGINT NOT NULL, -- 1: the sender had more to send
	via     TEXT   NOT NULL, -- the device that sent it
	UNIQUE (hall, device, epoch)
);

-- Nothing changes or removes an event.
CREATE TABLE event (
	origin  BIGINT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	kind    TEXT   NOT NULL,
	body    TEXT   NOT NULL,
	request TEXT   NOT NULL,
	answer  TEXT   NOT NULL,
	hash    BYTEA  NOT NULL,
	PRIMARY KEY (origin, seq)
);

-- What a sender said that contradicts what is known; kept as evidence.
CREATE TABLE conflict (
	origin BIGINT NOT NULL,
	seq    BIGINT NOT NULL,
	hash   BYTEA  NOT NULL, -- of the event that was refused
	heard  BIGINT NOT NULL,
	why    TEXT   NOT NULL,
	via    TEXT   NOT NULL,
	event  TEXT   NOT NULL, -- the refused event as JSON
	PRIMARY KEY (origin, seq, hash)
);

-- A box of a hall. The numbers are the last given and the last acknowledged.
CREATE TABLE device (
	hall            TEXT   NOT NULL,
	device          TEXT   NOT NULL,
	role            TEXT   NOT NULL,
	added           BIGINT NOT NULL,
	seen            BIGINT NOT NULL,
	version         TEXT   NOT NULL,
	commands        BIGINT NOT NULL,
	commands_acked  BIGINT NOT NULL,
	documents       BIGINT NOT NULL,
	documents_acked BIGINT NOT NULL,
	PRIMARY KEY (hall, device)
);

-- The present state of each part of a device that ever spoke of its health.
CREATE TABLE health (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	source TEXT   NOT NULL,
	state  TEXT   NOT NULL, -- "ready" is the end of an alarm
	at     BIGINT NOT NULL,
	PRIMARY KEY (hall, device, source)
);

CREATE TABLE message (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	stream TEXT   NOT NULL,
	number BIGINT NOT NULL,
	name   TEXT   NOT NULL,
	at     BIGINT NOT NULL,
	starts BIGINT NOT NULL,
	body   TEXT   NOT NULL,
	acked  BIGINT NOT NULL, -- 0: not yet
	ok     BIGINT NOT NULL,
	answer TEXT   NOT NULL,
	PRIMARY KEY (hall, device, stream, number)
);

CREATE TABLE certificate (
	serial  TEXT   NOT NULL PRIMARY KEY,
	hall    TEXT   NOT NULL,
	device  TEXT   NOT NULL,
	role    TEXT   NOT NULL,
	made    BIGINT NOT NULL,
	ends    BIGINT NOT NULL,
	revoked BIGINT NOT NULL, -- 0: not
	why     TEXT   NOT NULL
);
CREATE INDEX certificate_device ON certificate (hall, device);

-- Codes that let one box in, once. The code itself is not kept.
CREATE TABLE code (
	hash   BYTEA  NOT NULL PRIMARY KEY,
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	role   TEXT   NOT NULL,
	maker  TEXT   NOT NULL,
	ends   BIGINT NOT NULL,
	used   BIGINT NOT NULL, -- 0: not yet
	public BYTEA  NOT NULL, -- digest of the public key it was used for
	issued BYTEA  NOT NULL  -- the certificate it was used for
);

CREATE TABLE person (
	name    TEXT   NOT NULL PRIMARY KEY,
	hash    TEXT   NOT NULL,
	role    TEXT   NOT NULL,
	hall    TEXT   NOT NULL, -- empty: all halls
	changed BIGINT NOT NULL
);

-- Sessions that were signed out before their time.
CREATE TABLE ended (
	id   TEXT   NOT NULL PRIMARY KEY,
	till BIGINT NOT NULL
);

-- What the centre must remember of itself: its epoch, the key of its sessions.
CREATE TABLE own (
	name  TEXT  NOT NULL PRIMARY KEY,
	value BYTEA NOT NULL
);
