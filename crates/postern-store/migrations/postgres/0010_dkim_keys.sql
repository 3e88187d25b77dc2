-- What mails are signed with (DKIM), by sender domain.
CREATE TABLE dkim_keys (
    domain      TEXT     NOT NULL,
    selector    TEXT     NOT NULL,
    algorithm   TEXT     NOT NULL, -- rsa or ed25519
    private_kid SMALLINT NOT NULL,
    private     BYTEA    NOT NULL, -- sealed
    public      BYTEA    NOT NULL,
    created_at  BIGINT   NOT NULL,
    PRIMARY KEY (domain, selector)
);
