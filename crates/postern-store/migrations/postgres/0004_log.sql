-- The authentication log: a projection of the events, written off the hot path.

-- Where a row stands in the one order in which everybody reads the events; null until it is given.
-- Ids are made before their commit and so become visible out of order; places are given afterwards, by
-- whoever holds the cursor, and without a gap: who remembers the last place it saw misses nothing.
ALTER TABLE events ADD COLUMN place BIGINT;

CREATE INDEX events_unplaced ON events (id) WHERE place IS NULL;
CREATE INDEX events_placed ON events (place) WHERE place IS NOT NULL;

-- One row for each auth request, numbered as the projection met them. A segment is a run of 8192 of
-- these numbers: what looks for something passes over segments that hold none of it.
CREATE TABLE log_requests (
    number  BIGINT   NOT NULL PRIMARY KEY,
    id      UUID     NOT NULL, -- of the auth request
    at      BIGINT   NOT NULL, -- when it was opened
    client  TEXT     NOT NULL,
    address UUID     NOT NULL, -- the address's key
    email   TEXT     NOT NULL, -- as given
    status  SMALLINT NOT NULL, -- 0 initiated, 1 pending, 2 success, 3 failed
    last_at BIGINT   NOT NULL,
    last    TEXT     NOT NULL, -- the kind of its last event
    events  BYTEA    NOT NULL  -- the ids of its events, 16 bytes each, oldest first
);

CREATE UNIQUE INDEX log_requests_by_id ON log_requests (id);
CREATE INDEX log_requests_by_address ON log_requests (address, number);

-- When the requests of a segment were opened.
CREATE TABLE log_segments (
    segment  BIGINT NOT NULL PRIMARY KEY,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL
);

-- How many requests of a segment there are of each kind.
CREATE TABLE log_counts (
    segment BIGINT   NOT NULL,
    client  TEXT     NOT NULL,
    status  SMALLINT NOT NULL,
    count   BIGINT   NOT NULL,
    PRIMARY KEY (segment, client, status)
);

-- Calls that a limit refused before they became a request.
CREATE TABLE log_refusals (
    event   UUID NOT NULL PRIMARY KEY,
    address UUID NOT NULL
);

CREATE INDEX log_refusals_by_address ON log_refusals (address, event);

-- What happened in each minute: 8 bytes a count, little-endian.
CREATE TABLE log_minutes (
    minute BIGINT NOT NULL PRIMARY KEY, -- since 1970-01-01 UTC
    counts BYTEA  NOT NULL
);

-- The next place of an event, and the next number of a request. Who projects holds the row.
CREATE TABLE log_cursor (
    id     SMALLINT NOT NULL PRIMARY KEY,
    place  BIGINT   NOT NULL,
    number BIGINT   NOT NULL
);

INSERT INTO log_cursor (id, place, number) VALUES (1, 1, 0);

-- The log names the events of each request, so that no call pays for an index of them.
DROP INDEX events_of_request;
