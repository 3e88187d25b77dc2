-- A row here says that nothing else is written to this store: it was copied away, or a copy into it is
-- not finished. There is at most one. Every transaction that writes reads this table first; who puts the
-- row there locks the table against that, and so waits for all that began before.
CREATE TABLE fence (
    id    SMALLINT NOT NULL PRIMARY KEY, -- 1
    at    BIGINT   NOT NULL,
    kind  SMALLINT NOT NULL, -- 0 copied away, 1 being filled
    other TEXT     NOT NULL, -- the store on the other side, without its password
    mark  TEXT               -- how far the filling has come
);
