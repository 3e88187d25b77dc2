-- Who was tried last with a mail, and what came of it: a repeat goes back to who may have taken it.
ALTER TABLE deliveries ADD COLUMN provider TEXT;
ALTER TABLE deliveries ADD COLUMN fault INTEGER;    -- 0 deferred, 1 trouble, 2 unsure; NULL when it ended the delivery
ALTER TABLE deliveries ADD COLUMN in_a_row INTEGER; -- how often the same came of the same provider
