-- How boxes are now, what needs somebody, and who is told.
-- +goose Up

-- The latest status of a box, as it sent it.
CREATE TABLE status (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	at     BIGINT NOT NULL, -- when it came
	body   TEXT   NOT NULL,
	PRIMARY KEY (hall, device)
);

-- What needs somebody. Of one source of a box at most one alarm is open.
CREATE TABLE alarm (
	hall   TEXT   NOT NULL,
	device TEXT   NOT NULL,
	source TEXT   NOT NULL,
	since  BIGINT NOT NULL,
	state  TEXT   NOT NULL,
	ended  BIGINT NOT NULL, -- 0: open
	acked  BIGINT NOT NULL, -- 0: nobody has said that he looks after it
	who    TEXT   NOT NULL,
	PRIMARY KEY (hall, device, source, since)
);
CREATE UNIQUE INDEX alarm_open ON alarm (hall, device, source) WHERE ended = 0;
CREATE INDEX alarm_ended ON alarm (ended);

-- What is still to be told to other systems.
CREATE TABLE delivery (
	id    TEXT   NOT NULL,
	hook  TEXT   NOT NULL,
	made  BIGINT NOT NULL,
	body  TEXT   NOT NULL,
	tries BIGINT NOT NULL,
	next  BIGINT NOT NULL, -- not before
	fault TEXT   NOT NULL, -- of the last try
	PRIMARY KEY (id, hook)
);
CREATE INDEX delivery_next ON delivery (next);
