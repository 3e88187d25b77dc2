-- Each entry of the log is changed once or twice soon after it is made. On a full page each change moves the
-- row and writes three indexes anew; with room beside it, it stays where it is. Pages that are there stay as they are.
ALTER TABLE log_requests SET (fillfactor = 50);
