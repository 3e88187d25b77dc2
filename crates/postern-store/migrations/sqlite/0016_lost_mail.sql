-- The number of a request whose last mail did not arrive: refused, sent back, or not sent in time. Only these are in
-- the index, so that a call whose mail arrives pays nothing for it. Empty for what was logged before.
ALTER TABLE log_requests ADD COLUMN lost INTEGER;

CREATE INDEX log_requests_lost ON log_requests (lost) WHERE lost IS NOT NULL;
