use std::cell::Cell;

use async_trait::async_trait;
use postern_core::model::{AddressKey, DeliveryId, Suppression, SuppressionReason, Timestamp};
use postern_core::ports::{Receive, Reception, StoreError, SuppressionPlace};
use rusqlite::{Connection, Result, Row, params};

use super::tx::{self, Tx};
use super::{SqliteStore, auth_request, delivery, event};

/// Entries removed in one act of the sweeper.
const PIECE: u16 = 200;

/// Whether the list may hold anything: while it is empty, sends do not ask it. Only the writer's
/// thread writes to the list, so what it holds in memory is never behind; it errs on the side of
/// asking, and is read anew whenever the connection is.
#[derive(Debug)]
pub(super) struct Suppressing(Cell<bool>);

impl Suppressing {
    /// As the store says.
    pub(super) fn resume(conn: &Connection) -> Result<Self> {
        let found = tx::find(conn, "SELECT 1 FROM suppressions LIMIT 1", [], |_| Ok(()))?;
        Ok(Self(Cell::new(found.is_some())))
    }
}

/// What the list says of an address.
pub(super) fn of(tx: &Tx<'_>, address: AddressKey) -> Result<Option<Suppression>> {
    if !tx.suppressing().0.get() {
        return Ok(None);
    }
    tx::find(tx.held(), FIND, [address.0], read)
}

/// Puts an address on the list.
pub(super) fn put(tx: &Tx<'_>, entry: &Suppression) -> Result<()> {
    tx.suppressing().0.set(true);
    tx.write(
        "INSERT OR REPLACE INTO suppressions (address, email, reason, detail, at, until) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            entry.address.key().0,
            entry.address.as_given(),
            entry.reason.as_str(),
            entry.detail,
            entry.at.micros(),
            entry.until.map(Timestamp::micros),
        ],
    )?;
    Ok(())
}

/// Takes an address off the list; how many rows went.
pub(super) fn drop_one(tx: &Tx<'_>, address: AddressKey) -> Result<usize> {
    tx.write("DELETE FROM suppressions WHERE address = ?1", [address.0])
}

/// Removes entries that are over.
pub(super) fn tidy(tx: &Tx<'_>) -> Result<usize> {
    if !tx.suppressing().0.get() {
        return Ok(0);
    }
    let over = tx::all(
        tx.conn(),
        "SELECT address FROM suppressions WHERE until <= ?1 LIMIT ?2",
        params![tx.now.micros(), PIECE],
        |row| row.get(0).map(AddressKey),
    )?;
    over.into_iter().map(|address| drop_one(tx, address)).sum()
}

/// Writes what the rule makes of a provider's word on a delivery.
fn receive(tx: &Tx<'_>, id: DeliveryId, rule: &mut Receive) -> Result<Option<bool>> {
    let found = delivery::find(tx.held(), id)?;
    let request = auth_request::find(tx.held(), id.request)?;
    let (Some(found), Some(request)) = (found, request) else {
        return Ok(None);
    };
    let Some(received) = rule(&found, &request, tx.now) else {
        return Ok(Some(false));
    };
    tx.write(
        "UPDATE deliveries SET state = ?3, node = NULL WHERE request_id = ?1 AND ordinal = ?2",
        params![id.request.as_bytes(), id.ordinal, received.state.number()],
    )?;
    if let Some(entry) = &received.suppression {
        put(tx, entry)?;
    }
    event::append(tx, &received.events)?;
    Ok(Some(true))
}

const FIND: &str = "SELECT email, reason, detail, at, until FROM suppressions WHERE address = ?1";

fn read(row: &Row<'_>) -> Result<Suppression> {
    Ok(Suppression {
        address: auth_request::address(0, row.get_ref(0)?.as_str()?)?,
        reason: SuppressionReason::parse(row.get_ref(1)?.as_str()?)
            .ok_or_else(|| auth_request::unreadable(1, "unknown reason"))?,
        detail: row.get(2)?,
        at: Timestamp::from_micros(row.get(3)?),
        until: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros),
    })
}

fn page(
    conn: &Connection,
    now: Timestamp,
    place: Option<SuppressionPlace>,
    limit: u16,
) -> Result<Vec<Suppression>> {
    let (at, address) = place.unwrap_or((Timestamp::from_micros(i64::MAX), AddressKey([255; 16])));
    tx::all(
        conn,
        "SELECT email, reason, detail, at, until FROM suppressions \
         WHERE (at, address) < (?1, ?2) AND (until IS NULL OR until > ?4) \
         ORDER BY at DESC, address DESC LIMIT ?3",
        params![at.micros(), address.0, limit, now.micros()],
        read,
    )
}

#[async_trait]
impl Reception for SqliteStore {
    async fn receive(&self, id: DeliveryId, mut rule: Receive) -> Result<Option<bool>, StoreError> {
        self.writer.run(move |tx| receive(tx, id, &mut rule)).await
    }

    async fn suppress(&self, suppression: Suppression) -> Result<(), StoreError> {
        self.writer.run(move |tx| put(tx, &suppression)).await
    }

    async fn unsuppress(&self, address: AddressKey) -> Result<bool, StoreError> {
        let gone = self.writer.run(move |tx| drop_one(tx, address)).await?;
        Ok(gone > 0)
    }

    async fn find_suppression(
        &self,
        address: AddressKey,
    ) -> Result<Option<Suppression>, StoreError> {
        self.quick
            .run(move |conn| tx::find(conn, FIND, [address.0], read))
            .await
    }

    async fn suppressions(
        &self,
        now: Timestamp,
        place: Option<SuppressionPlace>,
        limit: u16,
    ) -> Result<Vec<Suppression>, StoreError> {
        self.slow
            .run(move |conn| page(conn, now, place, limit))
            .await
    }
}
