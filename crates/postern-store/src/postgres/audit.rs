//! The audit: what admins did.

use postern_core::model::{AuditEntry, EventId};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::event::EventIds;
use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{Id, get, moment};

/// Appends to the audit.
pub(super) async fn note(
    session: &Session,
    ids: &EventIds,
    entry: &AuditEntry,
) -> Result<(), Failure> {
    static NOTE: Sql = Sql {
        text: "INSERT INTO audit (id, at, actor, action, target, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        types: &[
            Type::UUID,
            Type::INT8,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
        ],
    };
    let params: [Param<'_>; 7] = [
        &ids.next(entry.at),
        &entry.at.micros(),
        &entry.actor,
        &entry.action,
        &entry.target,
        &entry.before,
        &entry.after,
    ];
    session.execute(&NOTE, &params).await.map(drop)
}

/// Up to `limit` entries that come after one, oldest first.
pub(super) async fn noted_after(
    session: &Session,
    after: Id,
    limit: i64,
) -> Result<Vec<(EventId, AuditEntry)>, Failure> {
    static PAGE: Sql = Sql {
        text: "SELECT id, at, actor, action, target, before, after FROM audit WHERE id > $1 ORDER BY id LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    };
    let rows = session.query(&PAGE, &[&after, &limit]).await?;
    rows.iter().map(entry).collect()
}

/// Writes an entry anew, without what is no longer to be in it.
pub(super) async fn renote(session: &Session, id: Id, entry: &AuditEntry) -> Result<u64, Failure> {
    static RENOTE: Sql = Sql {
        text: "UPDATE audit SET target = $2, before = $3, after = $4 WHERE id = $1",
        types: &[Type::UUID, Type::TEXT, Type::TEXT, Type::TEXT],
    };
    let params: [Param<'_>; 4] = [&id, &entry.target, &entry.before, &entry.after];
    session.execute(&RENOTE, &params).await
}

/// The entry of a row.
pub(super) fn entry(row: &Row) -> Result<(EventId, AuditEntry), Failure> {
    let entry = AuditEntry {
        at: moment(row, 1)?,
        actor: get(row, 2)?,
        action: get(row, 3)?,
        target: get(row, 4)?,
        before: get(row, 5)?,
        after: get(row, 6)?,
    };
    Ok((get::<Id>(row, 0)?.0, entry))
}
