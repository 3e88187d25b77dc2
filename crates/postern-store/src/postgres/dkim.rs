use postern_core::model::{DkimAlgorithm, DkimKey, Sealed, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{get, moment, number};

/// The DKIM keys, by domain and, of one domain, oldest first.
pub(super) async fn keys(session: &Session) -> Result<Vec<DkimKey>, Failure> {
    static KEYS: Sql = Sql {
        text: "SELECT domain, selector, algorithm, private_kid, private, public, created_at \
               FROM dkim_keys ORDER BY domain COLLATE \"C\", created_at, selector COLLATE \"C\"",
        types: &[],
    };
    let rows = session.query(&KEYS, &[]).await?;
    rows.iter().map(key).collect()
}

/// Adds or replaces a key.
pub(super) async fn put(session: &Session, key: &DkimKey) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO dkim_keys (domain, selector, algorithm, private_kid, private, public, created_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (domain, selector) DO UPDATE SET \
               algorithm = excluded.algorithm, private_kid = excluded.private_kid, private = excluded.private, \
               public = excluded.public, created_at = excluded.created_at",
        types: &[
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::INT2,
            Type::BYTEA,
            Type::BYTEA,
            Type::INT8,
        ],
    };
    let params: [Param<'_>; 7] = [
        &key.domain,
        &key.selector,
        &key.algorithm.as_str(),
        &i16::from(key.private.kid),
        &key.private.bytes,
        &key.public,
        &Timestamp::micros(key.created_at),
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Removes a key.
pub(super) async fn drop_key(
    session: &Session,
    domain: &str,
    selector: &str,
) -> Result<(), Failure> {
    static DROP: Sql = Sql {
        text: "DELETE FROM dkim_keys WHERE domain = $1 AND selector = $2",
        types: &[Type::TEXT, Type::TEXT],
    };
    session
        .execute(&DROP, &[&domain, &selector])
        .await
        .map(drop)
}

fn key(row: &Row) -> Result<DkimKey, Failure> {
    Ok(DkimKey {
        domain: get(row, 0)?,
        selector: get(row, 1)?,
        algorithm: DkimAlgorithm::parse(get(row, 2)?)
            .ok_or(Failure::Unreadable("unknown DKIM algorithm"))?,
        private: Sealed {
            kid: number::<i16, _>(row, 3)?,
            bytes: get(row, 4)?,
        },
        public: get(row, 5)?,
        created_at: moment(row, 6)?,
    })
}
