-- The authentication log: a projection of the events, written off the hot path. All of it can be made
-- anew by emptying these tables and setting the cursor to its first state.

-- One row for each auth request, numbered as the projection met them. A segment is a run of 8192 of
-- these numbers: what looks for something passes over segments that hold none of it.
CREATE TABLE log_requests (
    number  INTEGER NOT NULL PRIMARY KEY,
    id      BLOB    NOT NULL, -- of the auth request
    at      INTEGER NOT NULL, -- when it was opened
    client  TEXT    NOT NULL,
    address BLOB    NOT NULL, -- the address's key
    email   TEXT    NOT NULL, -- as given
    status  INTEGER NOT NULL, -- 0 initiated, 1 pending, 2 success, 3 failed
    last_at INTEGER NOT NULL,
    last    TEXT    NOT NULL, -- the kind of its last event
    events  BLOB    NOT NULL  -- the ids of its events, 16 bytes each, oldest first
) STRICT;

CREATE UNIQUE INDEX log_requests_by_id ON log_requests (id);

-- Where the requests of an address are. Segment first, so that what is written together lies together.
CREATE TABLE log_addresses (
    segment INTEGER NOT NULL,
    address BLOB    NOT NULL,
    number  INTEGER NOT NULL,
    PRIMARY KEY (segment, address, number)
) STRICT, WITHOUT ROWID;

-- When the requests of a segment were opened.
CREATE TABLE log_segments (
    segment  INTEGER NOT NULL PRIMARY KEY,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
) STRICT;

-- How many requests of a segment there are of each kind.
CREATE TABLE log_counts (
    segment INTEGER NOT NULL,
    client  TEXT    NOT NULL,
    status  INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (segment, client, status)
) STRICT, WITHOUT ROWID;

-- Calls that a limit refused before they became a request.
CREATE TABLE log_refusals (
    event   BLOB NOT NULL PRIMARY KEY,
    address BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX log_refusals_by_address ON log_refusals (address, event);

-- What happened in each minute: 8 bytes a count, little-endian.
CREATE TABLE log_minutes (
    minute INTEGER NOT NULL PRIMARY KEY, -- since 1970-01-01 UTC
    counts BLOB    NOT NULL
) STRICT;

-- The last event that was taken in, and the next number.
CREATE TABLE log_cursor (
    event BLOB    NOT NULL,
    next  INTEGER NOT NULL
) STRICT;

INSERT INTO log_cursor (event, next) VALUES (x'00000000000000000000000000000000', 0);

-- The log names the events of each request, so that no call pays for an index of them.
DROP INDEX events_of_request;
