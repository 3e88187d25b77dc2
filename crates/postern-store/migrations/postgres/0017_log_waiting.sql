-- Events that the log has not taken in: for each commit that wrote some, their ids, 16 bytes each, in their
-- order. Written with them and removed by the commit that takes them in, so that none is missed in whatever order
-- commits become visible, and no event is written a second time for it.
CREATE TABLE log_waiting (
    first UUID  NOT NULL PRIMARY KEY, -- the id of the first
    ids   BYTEA NOT NULL              -- at most 64 of them
);

-- What waits here has the place 0 from the start. Null is left to nodes that know nothing of this table; their
-- events are brought here. Nobody reads events by their places any more.
DROP INDEX events_placed;

-- Nodes that know nothing of this table find no cursor now, and leave the log to those that do: they would not
-- see an opening that waits here, and pass over what follows it.
UPDATE log_cursor SET id = 2 WHERE id = 1;
