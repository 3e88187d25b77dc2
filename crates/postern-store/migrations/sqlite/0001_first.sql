-- Times are microseconds since 1970-01-01 UTC, spans are microseconds, ids are bytes. No column has
-- a default and nothing here reads a clock: what a row says, the program said.

-- One row for each try to prove control of an address. The id is time-ordered, so that rows that are
-- young together lie together.
CREATE TABLE auth_requests (
    id            BLOB    NOT NULL PRIMARY KEY,
    state         INTEGER NOT NULL, -- 0 open, 1 used by code, 2 used by link, 3 dead
    expires_at    INTEGER NOT NULL,
    expiry_noted  INTEGER NOT NULL, -- 1 once the event of its expiry is written
    generation    INTEGER NOT NULL,
    generation_at INTEGER NOT NULL,
    sent_at       INTEGER NOT NULL,
    resends       INTEGER NOT NULL,
    wrong         BLOB,             -- 16 bytes for each different wrong code
    kid           INTEGER NOT NULL,
    method        INTEGER NOT NULL, -- 1 OTP, 2 LINK, 3 LINK_OTP
    template      INTEGER,
    code_length   INTEGER NOT NULL,
    alphabet      INTEGER NOT NULL, -- 0 numeric, 1 alphanumeric
    hardened      INTEGER NOT NULL,
    lifetime      INTEGER NOT NULL,
    client        TEXT    NOT NULL,
    address       TEXT    NOT NULL, -- as given
    state_kid     INTEGER,
    caller_state  BLOB              -- sealed
) STRICT, WITHOUT ROWID;

-- What the caller passed for the mail, sealed; a row only where there is something.
CREATE TABLE mail_inputs (
    request_id BLOB    NOT NULL PRIMARY KEY,
    kid        INTEGER NOT NULL,
    input      BLOB    NOT NULL
) STRICT, WITHOUT ROWID;

-- The outbox: one row for each mail of a request.
CREATE TABLE deliveries (
    request_id BLOB    NOT NULL,
    ordinal    INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state      INTEGER NOT NULL, -- 0 queued, 1 sent, 2 bounced, 3 failed, 4 abandoned
    attempts   INTEGER NOT NULL,
    queued_at  INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    node       BLOB,             -- who holds the lease, while there is one
    PRIMARY KEY (request_id, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_queued ON deliveries (due_at, queued_at) WHERE state = 0;

-- What happened: a row for what one act tells about one request. The id is 8 bytes of time and 8 bytes of sequence, both big-endian, and grows with
-- every commit: who remembers the last id it saw misses nothing.
CREATE TABLE events (
    id         BLOB    NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    request_id BLOB,
    client     TEXT,
    address    BLOB    NOT NULL, -- the address's key
    detail     TEXT    NOT NULL  -- JSON: an array of objects, each with its kind under "kind"
) STRICT, WITHOUT ROWID;

CREATE INDEX events_of_request ON events (request_id) WHERE request_id IS NOT NULL;

-- Quotas: the moments that count, 8 bytes each, little-endian.
CREATE TABLE address_sends (
    address BLOB NOT NULL PRIMARY KEY,
    times   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE address_guesses (
    address BLOB NOT NULL PRIMARY KEY,
    times   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_sends (
    client  TEXT NOT NULL PRIMARY KEY,
    buckets BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The registry: what every node holds in memory. `revision` grows with each amendment.
CREATE TABLE registry (
    revision INTEGER NOT NULL
) STRICT;

INSERT INTO registry (revision) VALUES (0);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE clients (
    id         TEXT    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE client_secrets (
    client     TEXT    NOT NULL,
    position   INTEGER NOT NULL, -- 0 is the newest
    digest     BLOB    NOT NULL, -- SHA-256
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (client, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail_providers (
    name         TEXT    NOT NULL PRIMARY KEY,
    position     INTEGER NOT NULL,
    host         TEXT    NOT NULL,
    port         INTEGER NOT NULL,
    tls          TEXT    NOT NULL,
    username     TEXT,
    password_kid INTEGER,
    password     BLOB,            -- sealed
    sender       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signing_keys (
    kid         TEXT    NOT NULL PRIMARY KEY,
    state       INTEGER NOT NULL, -- 0 standby, 1 active, 2 retired
    private_kid INTEGER NOT NULL,
    private     BLOB    NOT NULL, -- sealed
    modulus     BLOB    NOT NULL,
    exponent    BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER
) STRICT, WITHOUT ROWID;
