-- Times are microseconds since 1970-01-01 UTC, spans are microseconds, ids are 16 bytes. No column has
-- a default and nothing here reads a clock or draws a number: what a row says, the program said. Only
-- what a PostgreSQL-compatible distributed engine has too: no sequences, no extensions, no triggers.

-- One row for each try to prove control of an address. `version` grows with every change: who decided
-- on an older one decides again.
CREATE TABLE auth_requests (
    id            UUID     NOT NULL PRIMARY KEY,
    version       BIGINT   NOT NULL,
    state         SMALLINT NOT NULL, -- 0 open, 1 used by code, 2 used by link, 3 dead
    expires_at    BIGINT   NOT NULL,
    expiry_noted  BOOLEAN  NOT NULL, -- once the event of its expiry is written
    generation    INTEGER  NOT NULL,
    generation_at BIGINT   NOT NULL,
    sent_at       BIGINT   NOT NULL,
    resends       SMALLINT NOT NULL,
    wrong         BYTEA,             -- 16 bytes for each different wrong code
    kid           SMALLINT NOT NULL,
    method        SMALLINT NOT NULL, -- 1 OTP, 2 LINK, 3 LINK_OTP
    template      SMALLINT,
    code_length   SMALLINT NOT NULL,
    alphabet      SMALLINT NOT NULL, -- 0 numeric, 1 alphanumeric
    hardened      BOOLEAN  NOT NULL,
    lifetime      BIGINT   NOT NULL,
    client        TEXT     NOT NULL,
    address       TEXT     NOT NULL, -- as given
    state_kid     SMALLINT,
    caller_state  BYTEA              -- sealed
) WITH (fillfactor = 80);

-- Requests that were resent: a node that had seen one expire looks here for its next expiry.
CREATE TABLE revivals (
    request_id UUID   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX revivals_due ON revivals (expires_at);

-- What the caller passed for the mail, sealed; a row only where there is something.
CREATE TABLE mail_inputs (
    request_id UUID     NOT NULL PRIMARY KEY,
    kid        SMALLINT NOT NULL,
    input      BYTEA    NOT NULL
);

-- The outbox: one row for each mail of a request.
CREATE TABLE deliveries (
    request_id UUID     NOT NULL,
    ordinal    INTEGER  NOT NULL,
    generation INTEGER  NOT NULL,
    state      SMALLINT NOT NULL, -- 0 queued, 1 sent, 2 bounced, 3 failed, 4 abandoned
    attempts   INTEGER  NOT NULL,
    queued_at  BIGINT   NOT NULL,
    due_at     BIGINT   NOT NULL,
    node       BYTEA,             -- who holds the lease, while there is one
    PRIMARY KEY (request_id, ordinal)
);

CREATE INDEX deliveries_queued ON deliveries (due_at, queued_at) WHERE state = 0;

-- What happened: a row for what one act tells about one request. The id is 8 bytes of time and 8 bytes
-- that are the node's own, both big-endian. It grows with every commit of one writer; among several,
-- a row can become visible after one with a larger id.
CREATE TABLE events (
    id         UUID   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    request_id UUID,
    client     TEXT,
    address    UUID   NOT NULL, -- the address's key
    detail     TEXT   NOT NULL  -- JSON: an array of objects, each with its kind under "kind"
);

CREATE INDEX events_of_request ON events (request_id) WHERE request_id IS NOT NULL;

-- Quotas: the moments that count, 8 bytes each, little-endian.
CREATE TABLE address_sends (
    address UUID   NOT NULL PRIMARY KEY,
    times   BYTEA  NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE address_guesses (
    address UUID   NOT NULL PRIMARY KEY,
    times   BYTEA  NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE client_sends (
    client  TEXT   NOT NULL PRIMARY KEY,
    buckets BYTEA  NOT NULL,
    version BIGINT NOT NULL
);

-- The registry: what every node holds in memory. `revision` grows with each amendment, and an
-- amendment locks the row.
CREATE TABLE registry (
    id       SMALLINT NOT NULL PRIMARY KEY,
    revision BIGINT   NOT NULL
);

INSERT INTO registry (id, revision) VALUES (1, 0);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE clients (
    id         TEXT   NOT NULL PRIMARY KEY,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE client_secrets (
    client     TEXT     NOT NULL,
    position   SMALLINT NOT NULL, -- 0 is the newest
    digest     BYTEA    NOT NULL, -- SHA-256
    created_at BIGINT   NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (client, position)
);

CREATE TABLE mail_providers (
    name         TEXT     NOT NULL PRIMARY KEY,
    position     INTEGER  NOT NULL,
    host         TEXT     NOT NULL,
    port         INTEGER  NOT NULL,
    tls          TEXT     NOT NULL,
    username     TEXT,
    password_kid SMALLINT,
    password     BYTEA,             -- sealed
    sender       TEXT     NOT NULL
);

CREATE TABLE signing_keys (
    kid         TEXT     NOT NULL PRIMARY KEY,
    state       SMALLINT NOT NULL, -- 0 standby, 1 active, 2 retired
    private_kid SMALLINT NOT NULL,
    private     BYTEA    NOT NULL, -- sealed
    modulus     BYTEA    NOT NULL,
    exponent    BYTEA    NOT NULL,
    created_at  BIGINT   NOT NULL,
    retired_at  BIGINT
);
