-- Who may use the dashboard; part of the registry.
CREATE TABLE admins (
    address    TEXT   NOT NULL PRIMARY KEY, -- in normal form
    email      TEXT   NOT NULL,             -- as given
    role       TEXT   NOT NULL,             -- viewer, owner
    created_at BIGINT NOT NULL
);

-- Invitations that are good once; of their tokens only SHA-256 is kept.
CREATE TABLE admin_invites (
    digest     BYTEA  NOT NULL PRIMARY KEY,
    email      TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Dashboard sessions; of their tokens only SHA-256 is kept.
CREATE TABLE admin_sessions (
    digest     BYTEA  NOT NULL PRIMARY KEY,
    email      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    proved_at  BIGINT NOT NULL, -- when the admin last proved who they are
    agent      TEXT   NOT NULL
);

-- What admins did. The id is made as those of events are.
CREATE TABLE audit (
    id     UUID   NOT NULL PRIMARY KEY,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    action TEXT   NOT NULL,
    target TEXT   NOT NULL,
    before TEXT   NOT NULL,
    after  TEXT   NOT NULL
);
