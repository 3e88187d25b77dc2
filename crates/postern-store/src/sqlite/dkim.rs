use postern_core::model::{DkimAlgorithm, DkimKey, Sealed, Timestamp};
use rusqlite::{Connection, Result, Row, params};

use super::auth_request::unreadable;
use super::tx::{self, Tx};

/// The DKIM keys, by domain and, of one domain, oldest first.
pub(super) fn keys(conn: &Connection) -> Result<Vec<DkimKey>> {
    tx::all(
        conn,
        "SELECT domain, selector, algorithm, private_kid, private, public, created_at \
         FROM dkim_keys ORDER BY domain, created_at, selector",
        [],
        key,
    )
}

/// Adds or replaces a key.
pub(super) fn put(tx: &Tx<'_>, key: &DkimKey) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO dkim_keys \
         (domain, selector, algorithm, private_kid, private, public, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            key.domain,
            key.selector,
            key.algorithm.as_str(),
            key.private.kid,
            key.private.bytes,
            key.public,
            key.created_at.micros(),
        ],
    )?;
    Ok(())
}

/// Removes a key.
pub(super) fn drop_key(tx: &Tx<'_>, domain: &str, selector: &str) -> Result<()> {
    let sql = "DELETE FROM dkim_keys WHERE domain = ?1 AND selector = ?2";
    tx.write(sql, [domain, selector])?;
    Ok(())
}

fn key(row: &Row<'_>) -> Result<DkimKey> {
    Ok(DkimKey {
        domain: row.get(0)?,
        selector: row.get(1)?,
        algorithm: DkimAlgorithm::parse(row.get_ref(2)?.as_str()?)
            .ok_or_else(|| unreadable(2, "unknown DKIM algorithm"))?,
        private: Sealed {
            kid: row.get(3)?,
            bytes: row.get(4)?,
        },
        public: row.get(5)?,
        created_at: row.get(6).map(Timestamp::from_micros)?,
    })
}
