-- Sends since they last went to `address_sends`, in the order they were made: appending here writes one
-- page for many, where that table's order by digest writes another page for each. Of the two logs one
-- takes what comes while the other is carried over. Ids grow across both; the last row of an address holds.
CREATE TABLE recent_sends_0 (
    id      INTEGER NOT NULL PRIMARY KEY,
    address BLOB    NOT NULL,
    at      INTEGER NOT NULL, -- when the row was written
    times   BLOB    NOT NULL  -- as in address_sends
) STRICT;

CREATE TABLE recent_sends_1 (
    id      INTEGER NOT NULL PRIMARY KEY,
    address BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    times   BLOB    NOT NULL
) STRICT;
