-- True when the request was opened for a test identity: nothing is mailed and its code is the static
-- one. Null otherwise, which is every row of before.
ALTER TABLE auth_requests ADD COLUMN test BOOLEAN;
