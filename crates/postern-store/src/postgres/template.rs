use async_trait::async_trait;
use postern_core::model::{
    Language, MailKind, TemplateEntry, TemplateHead, TemplateKey, TemplateSource, TemplateVersion,
};
use postern_core::ports::{Amendment, StoreError, TemplateShelf};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::PostgresStore;
use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{get, moment, number, optional};

/// What is known of every custom template, in the order of their keys.
pub(super) async fn heads(session: &Session) -> Result<Vec<TemplateHead>, Failure> {
    static ALL: Sql = Sql {
        text: "SELECT kind, language, active, previous, newest, changed_at, changed_by FROM mail_templates",
        types: &[],
    };
    let rows = session.query(&ALL, &[]).await?;
    let mut heads: Vec<TemplateHead> = rows.iter().map(head).collect::<Result<_, _>>()?;
    heads.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(heads)
}

/// Writes an amendment if it is one of templates.
pub(super) async fn write(session: &Session, amendment: &Amendment) -> Result<(), Failure> {
    match amendment {
        Amendment::PutTemplateVersion(version) => put_version(session, version).await,
        Amendment::PutTemplateHead(head) => put_head(session, head).await,
        Amendment::PruneTemplate { key, below, but } => prune(session, key, *below, but).await,
        _ => Ok(()),
    }
}

/// Sets what is known of a template.
async fn put_head(session: &Session, head: &TemplateHead) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO mail_templates (kind, language, active, previous, newest, changed_at, changed_by) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (kind, language) DO UPDATE SET \
               active = excluded.active, previous = excluded.previous, newest = excluded.newest, \
               changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        types: &[
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::INT8,
            Type::TEXT,
        ],
    };
    let params: [Param<'_>; 7] = [
        &head.key.kind.as_str(),
        &head.key.tag(),
        &head.active.map(i64::from),
        &head.previous.map(i64::from),
        &i64::from(head.newest),
        &head.changed_at.micros(),
        &head.changed_by,
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Adds a version.
async fn put_version(session: &Session, version: &TemplateVersion) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO mail_template_versions \
               (kind, language, version, at, author, note, subject, html, text) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        types: &[
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
        ],
    };
    let params: [Param<'_>; 9] = [
        &version.key.kind.as_str(),
        &version.key.tag(),
        &i64::from(version.number),
        &version.at.micros(),
        &version.by,
        &version.note,
        &version.source.subject,
        &version.source.html,
        &version.source.text,
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Removes the versions below a number, but for some.
async fn prune(
    session: &Session,
    key: &TemplateKey,
    below: u32,
    but: &[u32],
) -> Result<(), Failure> {
    static PRUNE: Sql = Sql {
        text: "DELETE FROM mail_template_versions \
               WHERE kind = $1 AND language = $2 AND version < $3 AND NOT version = ANY($4)",
        types: &[Type::TEXT, Type::TEXT, Type::INT8, Type::INT8_ARRAY],
    };
    let but: Vec<i64> = but.iter().copied().map(i64::from).collect();
    let params: [Param<'_>; 4] = [&key.kind.as_str(), &key.tag(), &i64::from(below), &but];
    session.execute(&PRUNE, &params).await.map(drop)
}

fn key(row: &Row) -> Result<TemplateKey, Failure> {
    let tag = get::<&str>(row, 1)?;
    let language = (!tag.is_empty()).then(|| Language::parse(tag));
    Ok(TemplateKey {
        kind: MailKind::parse(get(row, 0)?).ok_or(Failure::Unreadable("unknown kind of mail"))?,
        language: match language {
            Some(None) => return Err(Failure::Unreadable("no language")),
            read => read.flatten(),
        },
    })
}

fn head(row: &Row) -> Result<TemplateHead, Failure> {
    Ok(TemplateHead {
        key: key(row)?,
        active: optional::<i64, _>(row, 2)?,
        previous: optional::<i64, _>(row, 3)?,
        newest: number::<i64, _>(row, 4)?,
        changed_at: moment(row, 5)?,
        changed_by: get(row, 6)?,
    })
}

fn version(row: &Row) -> Result<TemplateVersion, Failure> {
    Ok(TemplateVersion {
        key: key(row)?,
        number: number::<i64, _>(row, 2)?,
        at: moment(row, 3)?,
        by: get(row, 4)?,
        note: get(row, 5)?,
        source: TemplateSource {
            subject: get(row, 6)?,
            html: get(row, 7)?,
            text: get(row, 8)?,
        },
    })
}

fn entry(row: &Row) -> Result<TemplateEntry, Failure> {
    Ok(TemplateEntry {
        number: number::<i64, _>(row, 0)?,
        at: moment(row, 1)?,
        by: get(row, 2)?,
        note: get(row, 3)?,
        bytes: number::<i64, _>(row, 4)?,
    })
}

#[async_trait]
impl TemplateShelf for PostgresStore {
    async fn template_version(
        &self,
        key: &TemplateKey,
        number: u32,
    ) -> Result<Option<TemplateVersion>, StoreError> {
        static FIND: Sql = Sql {
            text: "SELECT kind, language, version, at, author, note, subject, html, text \
                   FROM mail_template_versions WHERE kind = $1 AND language = $2 AND version = $3",
            types: &[Type::TEXT, Type::TEXT, Type::INT8],
        };
        let held = self.pool.take().await?;
        let (kind, tag, number) = (key.kind.as_str(), key.tag(), i64::from(number));
        let params: [Param<'_>; 3] = [&kind, &tag, &number];
        let found = held.in_time(held.query(&FIND, &params)).await;
        held.end(found.and_then(|rows| rows.first().map(version).transpose()))
    }

    async fn template_history(&self, key: &TemplateKey) -> Result<Vec<TemplateEntry>, StoreError> {
        static ALL: Sql = Sql {
            text: "SELECT version, at, author, note, \
                   (octet_length(subject) + octet_length(html) + octet_length(text))::bigint \
                   FROM mail_template_versions WHERE kind = $1 AND language = $2 ORDER BY version DESC",
            types: &[Type::TEXT, Type::TEXT],
        };
        let held = self.pool.take().await?;
        let (kind, tag) = (key.kind.as_str(), key.tag());
        let params: [Param<'_>; 2] = [&kind, &tag];
        let found = held.in_time(held.query(&ALL, &params)).await;
        held.end(found.and_then(|rows| rows.iter().map(entry).collect()))
    }
}
