-- Who may use the dashboard; part of the registry.
CREATE TABLE admins (
    address    TEXT    NOT NULL PRIMARY KEY, -- in normal form
    email      TEXT    NOT NULL,             -- as given
    role       TEXT    NOT NULL,             -- viewer, owner
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Invitations that are good once; of their tokens only SHA-256 is kept.
CREATE TABLE admin_invites (
    digest     BLOB    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Dashboard sessions; of their tokens only SHA-256 is kept.
CREATE TABLE admin_sessions (
    digest     BLOB    NOT NULL PRIMARY KEY,
    email      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    proved_at  INTEGER NOT NULL, -- when the admin last proved who they are
    agent      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- What admins did. The id is made as those of events are.
CREATE TABLE audit (
    id     BLOB    NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    target TEXT    NOT NULL,
    before TEXT    NOT NULL,
    after  TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
