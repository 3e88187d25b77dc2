-- Custom mail templates: what is in force of each kind and language; part of the registry.
CREATE TABLE mail_templates (
    kind       TEXT    NOT NULL, -- signin_otp, …
    language   TEXT    NOT NULL, -- BCP 47; empty for every language
    active     BIGINT,           -- the version in force; NULL: the built-in template
    previous   BIGINT,           -- what was in force before
    newest     BIGINT  NOT NULL,
    changed_at BIGINT  NOT NULL,
    changed_by TEXT    NOT NULL,
    PRIMARY KEY (kind, language)
);

-- Their versions, which never change.
CREATE TABLE mail_template_versions (
    kind     TEXT    NOT NULL,
    language TEXT    NOT NULL,
    version  BIGINT  NOT NULL,
    at       BIGINT  NOT NULL,
    author   TEXT    NOT NULL,
    note     TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    html     TEXT    NOT NULL, -- MJML or HTML
    text     TEXT    NOT NULL,
    PRIMARY KEY (kind, language, version)
);
