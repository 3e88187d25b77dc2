-- Several mail providers, each with its limits, and logins by OAuth access tokens.
ALTER TABLE mail_providers ADD COLUMN reply_to TEXT;
ALTER TABLE mail_providers ADD COLUMN connections INTEGER;  -- the most at a time; NULL as many as the outbox has
ALTER TABLE mail_providers ADD COLUMN per_minute INTEGER;   -- the most mails a minute; NULL without limit
ALTER TABLE mail_providers ADD COLUMN token_url TEXT;       -- NULL: login by password; else that is the client secret
ALTER TABLE mail_providers ADD COLUMN token_client TEXT;
ALTER TABLE mail_providers ADD COLUMN token_scope TEXT;
