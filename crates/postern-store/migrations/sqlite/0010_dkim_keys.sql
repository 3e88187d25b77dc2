-- What mails are signed with (DKIM), by sender domain.
CREATE TABLE dkim_keys (
    domain      TEXT     NOT NULL,
    selector    TEXT     NOT NULL,
    algorithm   TEXT     NOT NULL, -- rsa or ed25519
    private_kid INTEGER  NOT NULL,
    private     BLOB     NOT NULL, -- sealed
    public      BLOB     NOT NULL,
    created_at  INTEGER  NOT NULL,
    PRIMARY KEY (domain, selector)
) STRICT, WITHOUT ROWID;
