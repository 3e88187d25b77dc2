-- What happened in each hour: the sum of its minutes, so that a month is read at once. Hours are counted from
-- the first row on, without a gap; of what is older there are the minutes.
CREATE TABLE log_hours (
    hour   INTEGER NOT NULL PRIMARY KEY, -- since 1970-01-01 UTC
    counts BLOB    NOT NULL              -- as in log_minutes
) STRICT;
