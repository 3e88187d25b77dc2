-- Addresses that are sent no mail for a while. Few: those whose mailbox did not exist, and what admins
-- listed.
CREATE TABLE suppressions (
    address UUID   NOT NULL PRIMARY KEY, -- the address's key
    email   TEXT   NOT NULL,             -- as given
    reason  TEXT   NOT NULL,             -- bounced, complained or manual
    detail  TEXT   NOT NULL,             -- what was said, without addresses
    at      BIGINT NOT NULL,
    until   BIGINT                       -- null: until it is removed
);

CREATE INDEX suppressions_by_time ON suppressions (at, address);
