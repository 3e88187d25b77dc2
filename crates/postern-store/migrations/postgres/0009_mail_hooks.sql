-- What the callbacks of mail providers are verified with.
CREATE TABLE mail_hooks (
    provider   TEXT     NOT NULL PRIMARY KEY, -- postmark, sendgrid, ses or mailgun
    secret_kid SMALLINT NOT NULL,
    secret     BYTEA    NOT NULL              -- sealed
);
