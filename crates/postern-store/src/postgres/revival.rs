use postern_core::model::{AuthRequestId, Timestamp};
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::session::{Session, Sql};
use super::value::{Id, request_id};

/// Requests that live again, with the end of their new life. A node's sweeper goes through the
/// requests once; it finds those here that another node brought back behind it.
#[derive(Default)]
pub(super) struct Revived {
    ids: Vec<Id>,
    expiries: Vec<i64>,
}

impl Revived {
    pub(super) fn push(&mut self, id: AuthRequestId, expires_at: Timestamp) {
        self.ids.push(id.into());
        self.expiries.push(expires_at.micros());
    }

    /// Writes them.
    pub(super) async fn insert(&self, session: &Session) -> Result<(), Failure> {
        static INSERT: Sql = Sql {
            text: "INSERT INTO revivals (request_id, expires_at) SELECT * FROM unnest($1, $2) \
                   ON CONFLICT (request_id) DO UPDATE SET expires_at = excluded.expires_at",
            types: &[Type::UUID_ARRAY, Type::INT8_ARRAY],
        };
        if self.ids.is_empty() {
            return Ok(());
        }
        session
            .execute(&INSERT, &[&self.ids, &self.expiries])
            .await
            .map(drop)
    }
}

/// Requests whose later life is over, at most `limit`.
pub(super) async fn over(
    session: &Session,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<AuthRequestId>, Failure> {
    static OVER: Sql = Sql {
        text: "SELECT request_id FROM revivals WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
        types: &[Type::INT8, Type::INT8],
    };
    let rows = session.query(&OVER, &[&now.micros(), &limit]).await?;
    rows.iter().map(|row| request_id(row, 0)).collect()
}

/// Removes those whose life is over.
pub(super) async fn remove(session: &Session, ids: &[Id], now: Timestamp) -> Result<(), Failure> {
    static REMOVE: Sql = Sql {
        text: "DELETE FROM revivals WHERE request_id = ANY($1) AND expires_at <= $2",
        types: &[Type::UUID_ARRAY, Type::INT8],
    };
    session
        .execute(&REMOVE, &[&ids, &now.micros()])
        .await
        .map(drop)
}
