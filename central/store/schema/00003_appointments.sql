-- +goose Up

-- A time at which so many people may come for an item. The row is locked by who
-- books; the checks hold whatever a program does.
CREATE TABLE slot (
	hall     TEXT   NOT NULL,
	at       BIGINT NOT NULL,
	item     TEXT   NOT NULL,
	minutes  BIGINT NOT NULL,
	capacity BIGINT NOT NULL CHECK (capacity BETWEEN 0 AND 1000),
	taken    BIGINT NOT NULL CHECK (taken >= 0 AND taken <= capacity),
	PRIMARY KEY (hall, at, item)
);

-- A booking takes one place of its slot, and no other can have that place.
CREATE TABLE booking (
	hall      TEXT   NOT NULL,
	code      TEXT   NOT NULL, -- what the citizen's QR holds; random, no more is known of who comes
	request   TEXT   NOT NULL, -- the portal's id: the same one gets the same booking
	portal    TEXT   NOT NULL,
	at        BIGINT NOT NULL,
	item      TEXT   NOT NULL,
	place     BIGINT,          -- from 1; NULL: given back
	made      BIGINT NOT NULL,
	cancelled BIGINT NOT NULL, -- 0: not
	used      BIGINT NOT NULL, -- when a ticket was taken; 0: not
	PRIMARY KEY (hall, code),
	UNIQUE (hall, portal, request),
	UNIQUE (hall, at, item, place)
);

-- The lists of days that boxes have to be told of: changed counts the changes,
-- sent is the change that they were told of last.
CREATE TABLE booking_day (
	hall    TEXT   NOT NULL,
	day     TEXT   NOT NULL,
	changed BIGINT NOT NULL,
	sent    BIGINT NOT NULL,
	at      BIGINT NOT NULL, -- when it was sent
	PRIMARY KEY (hall, day)
);

-- Programs that may book. The key itself is not kept.
CREATE TABLE portal (
	name    TEXT   NOT NULL PRIMARY KEY,
	hash    BYTEA  NOT NULL UNIQUE,
	hall    TEXT   NOT NULL, -- empty: all halls
	made    BIGINT NOT NULL,
	maker   TEXT   NOT NULL,
	revoked BIGINT NOT NULL  -- 0: not
);
