-- Custom mail templates: what is in force of each kind and language; part of the registry.
CREATE TABLE mail_templates (
    kind       TEXT    NOT NULL, -- signin_otp, …
    language   TEXT    NOT NULL, -- BCP 47; empty for every language
    active     INTEGER,          -- the version in force; NULL: the built-in template
    previous   INTEGER,          -- what was in force before
    newest     INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT    NOT NULL,
    PRIMARY KEY (kind, language)
) STRICT, WITHOUT ROWID;

-- Their versions, which never change.
CREATE TABLE mail_template_versions (
    kind     TEXT    NOT NULL,
    language TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    author   TEXT    NOT NULL,
    note     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    html     TEXT    NOT NULL, -- MJML or HTML
    text     TEXT    NOT NULL,
    PRIMARY KEY (kind, language, version)
) STRICT;
