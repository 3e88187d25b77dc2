//! Custom mail templates: what is in force, and their versions.

use async_trait::async_trait;
use postern_core::model::{
    Language, MailKind, TemplateEntry, TemplateHead, TemplateKey, TemplateSource, TemplateVersion,
    Timestamp,
};
use postern_core::ports::{StoreError, TemplateShelf};
use rusqlite::{Connection, Result, Row, params};

use super::SqliteStore;
use super::auth_request::unreadable;
use super::tx::{self, Tx};

/// What is known of every custom template, in the order of their keys.
pub(super) fn heads(conn: &Connection) -> Result<Vec<TemplateHead>> {
    let sql = "SELECT kind, language, active, previous, newest, changed_at, changed_by FROM mail_templates";
    let mut heads = tx::all(conn, sql, [], head)?;
    heads.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(heads)
}

/// Sets what is known of a template.
pub(super) fn put_head(tx: &Tx<'_>, head: &TemplateHead) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO mail_templates \
         (kind, language, active, previous, newest, changed_at, changed_by) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            head.key.kind.as_str(),
            head.key.tag(),
            head.active,
            head.previous,
            head.newest,
            head.changed_at.micros(),
            head.changed_by,
        ],
    )?;
    Ok(())
}

/// Adds a version.
pub(super) fn put_version(tx: &Tx<'_>, version: &TemplateVersion) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO mail_template_versions \
         (kind, language, version, at, author, note, subject, html, text) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            version.key.kind.as_str(),
            version.key.tag(),
            version.number,
            version.at.micros(),
            version.by,
            version.note,
            version.source.subject,
            version.source.html,
            version.source.text,
        ],
    )?;
    Ok(())
}

/// Removes the versions below a number, but for some.
pub(super) fn prune(tx: &Tx<'_>, key: &TemplateKey, below: u32, but: &[u32]) -> Result<()> {
    let (kind, tag) = (key.kind.as_str(), key.tag());
    let held = tx::all(
        tx.conn(),
        "SELECT version FROM mail_template_versions WHERE kind = ?1 AND language = ?2 AND version < ?3",
        params![kind, tag, below],
        |row| row.get::<_, u32>(0),
    )?;
    for version in held.iter().filter(|version| !but.contains(version)) {
        tx.write(
            "DELETE FROM mail_template_versions WHERE kind = ?1 AND language = ?2 AND version = ?3",
            params![kind, tag, version],
        )?;
    }
    Ok(())
}

fn key(row: &Row<'_>) -> Result<TemplateKey> {
    let tag = row.get_ref(1)?.as_str()?;
    let language = (!tag.is_empty()).then(|| Language::parse(tag));
    Ok(TemplateKey {
        kind: MailKind::parse(row.get_ref(0)?.as_str()?)
            .ok_or_else(|| unreadable(0, "unknown kind of mail"))?,
        language: match language {
            Some(None) => return Err(unreadable(1, "no language")),
            read => read.flatten(),
        },
    })
}

fn head(row: &Row<'_>) -> Result<TemplateHead> {
    Ok(TemplateHead {
        key: key(row)?,
        active: row.get(2)?,
        previous: row.get(3)?,
        newest: row.get(4)?,
        changed_at: Timestamp::from_micros(row.get(5)?),
        changed_by: row.get(6)?,
    })
}

fn version(row: &Row<'_>) -> Result<TemplateVersion> {
    Ok(TemplateVersion {
        key: key(row)?,
        number: row.get(2)?,
        at: Timestamp::from_micros(row.get(3)?),
        by: row.get(4)?,
        note: row.get(5)?,
        source: TemplateSource {
            subject: row.get(6)?,
            html: row.get(7)?,
            text: row.get(8)?,
        },
    })
}

fn entry(row: &Row<'_>) -> Result<TemplateEntry> {
    Ok(TemplateEntry {
        number: row.get(0)?,
        at: Timestamp::from_micros(row.get(1)?),
        by: row.get(2)?,
        note: row.get(3)?,
        bytes: u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default(),
    })
}

#[async_trait]
impl TemplateShelf for SqliteStore {
    async fn template_version(
        &self,
        key: &TemplateKey,
        number: u32,
    ) -> Result<Option<TemplateVersion>, StoreError> {
        let (kind, tag) = (key.kind.as_str(), key.tag());
        let read = move |conn: &Connection| {
            tx::find(
                conn,
                "SELECT kind, language, version, at, author, note, subject, html, text \
                 FROM mail_template_versions WHERE kind = ?1 AND language = ?2 AND version = ?3",
                params![kind, tag, number],
                version,
            )
        };
        self.slow.run(read).await
    }

    async fn template_history(&self, key: &TemplateKey) -> Result<Vec<TemplateEntry>, StoreError> {
        let (kind, tag) = (key.kind.as_str(), key.tag());
        let sql = "SELECT version, at, author, note, \
                   octet_length(subject) + octet_length(html) + octet_length(text) \
                   FROM mail_template_versions WHERE kind = ?1 AND language = ?2 ORDER BY version DESC";
        let read = move |conn: &Connection| tx::all(conn, sql, params![kind, tag], entry);
        self.slow.run(read).await
    }
}
