-- Addresses that are sent no mail for a while. Few: those whose mailbox did not exist, and what admins
-- listed.
CREATE TABLE suppressions (
    address BLOB    NOT NULL PRIMARY KEY, -- the address's key
    email   TEXT    NOT NULL,             -- as given
    reason  TEXT    NOT NULL,             -- bounced, complained or manual
    detail  TEXT    NOT NULL,             -- what was said, without addresses
    at      INTEGER NOT NULL,
    until   INTEGER                       -- null: until it is removed
) STRICT, WITHOUT ROWID;

CREATE INDEX suppressions_by_time ON suppressions (at, address);
