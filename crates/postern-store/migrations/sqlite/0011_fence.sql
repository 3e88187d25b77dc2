-- A row here says that nothing else is written to this store: it was copied away, or a copy into it is
-- not finished. There is at most one.
CREATE TABLE fence (
    id    INTEGER NOT NULL PRIMARY KEY, -- 1
    at    INTEGER NOT NULL,
    kind  INTEGER NOT NULL, -- 0 copied away, 1 being filled
    other TEXT    NOT NULL, -- the store on the other side, without its password
    mark  TEXT              -- how far the filling has come
) STRICT;
