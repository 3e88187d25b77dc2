-- When the secrets of API clients were used last, so that one sees which may go after a rotation. Apart
-- from the secrets, because it is no part of the registry: it changes without anybody having changed a thing.
CREATE TABLE secret_uses (
    digest  BLOB    NOT NULL PRIMARY KEY, -- SHA-256
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
