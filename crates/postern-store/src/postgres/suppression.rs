use std::collections::BTreeMap;

use async_trait::async_trait;
use postern_core::model::{AddressKey, DeliveryId, Suppression, SuppressionReason, Timestamp};
use postern_core::ports::{Receive, Reception, StoreError, SuppressionPlace};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::batch::Bench;
use super::event::Told;
use super::failure::Failure;
use super::session::{Param, Session, Sql};
use super::value::{Id, address, get, moment};
use super::{PostgresStore, auth_request, delivery};

/// What the list says of addresses.
pub(super) async fn find_all(
    session: &Session,
    keys: &[Id],
) -> Result<BTreeMap<AddressKey, Suppression>, Failure> {
    static FIND: Sql = Sql {
        text: "SELECT email, reason, detail, at, until FROM suppressions WHERE address = ANY($1)",
        types: &[Type::UUID_ARRAY],
    };
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session.query(&FIND, &[&keys]).await?;
    let read = rows.iter().map(read);
    read.map(|entry| entry.map(|entry| (entry.address.key(), entry)))
        .collect()
}

/// Takes an address off the list; how many rows went.
pub(super) async fn drop_one(session: &Session, key: AddressKey) -> Result<u64, Failure> {
    static DROP: Sql = Sql {
        text: "DELETE FROM suppressions WHERE address = $1",
        types: &[Type::UUID],
    };
    session.execute(&DROP, &[&Id::from(key)]).await
}

/// Removes entries that are over.
pub(super) async fn tidy(session: &Session, now: Timestamp) -> Result<u64, Failure> {
    static TIDY: Sql = Sql {
        text: "DELETE FROM suppressions WHERE until <= $1",
        types: &[Type::INT8],
    };
    session.execute(&TIDY, &[&now.micros()]).await
}

async fn put(session: &Session, entry: &Suppression) -> Result<(), Failure> {
    static PUT: Sql = Sql {
        text: "INSERT INTO suppressions (address, email, reason, detail, at, until) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (address) DO UPDATE SET email = excluded.email, reason = excluded.reason, \
               detail = excluded.detail, at = excluded.at, until = excluded.until",
        types: &[
            Type::UUID,
            Type::TEXT,
            Type::TEXT,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
        ],
    };
    let params: [Param<'_>; 6] = [
        &Id::from(entry.address.key()),
        &entry.address.as_given(),
        &entry.reason.as_str(),
        &entry.detail,
        &entry.at.micros(),
        &entry.until.map(Timestamp::micros),
    ];
    session.execute(&PUT, &params).await.map(drop)
}

/// Writes what the rule makes of a provider's word on a delivery, which is held from the first look on.
async fn receive(
    session: &Session,
    bench: &Bench,
    id: DeliveryId,
    rule: &mut Receive,
) -> Result<Option<bool>, Failure> {
    static HOLD: Sql = Sql {
        text: "SELECT state FROM deliveries WHERE request_id = $1 AND ordinal = $2 FOR UPDATE",
        types: &[Type::UUID, Type::INT4],
    };
    static UPDATE: Sql = Sql {
        text: "UPDATE deliveries SET state = $3, node = NULL WHERE request_id = $1 AND ordinal = $2",
        types: &[Type::UUID, Type::INT4, Type::INT2],
    };
    let (request, ordinal) = (Id::from(id.request), i32::from(id.ordinal));
    session.query(&HOLD, &[&request, &ordinal]).await?;
    let found = delivery::find_all(session, &[id]).await?.remove(&id);
    let (Some(found), Some(owner)) = (found, auth_request::find(session, id.request).await?) else {
        return Ok(None);
    };
    let Some(received) = rule(&found, &owner, bench.clock.now()) else {
        return Ok(Some(false));
    };
    let state = i16::from(received.state.number());
    session
        .execute(&UPDATE, &[&request, &ordinal, &state])
        .await?;
    if let Some(entry) = &received.suppression {
        put(session, entry).await?;
    }
    let mut told = Told::default();
    told.push(&bench.ids, &received.events)?;
    told.insert(session).await?;
    Ok(Some(true))
}

async fn page(
    session: &Session,
    now: Timestamp,
    place: Option<SuppressionPlace>,
    limit: u16,
) -> Result<Vec<Suppression>, Failure> {
    static PAGE: Sql = Sql {
        text: "SELECT email, reason, detail, at, until FROM suppressions WHERE (at, address) < ($1, $2) \
               AND (until IS NULL OR until > $3) ORDER BY at DESC, address DESC LIMIT $4",
        types: &[Type::INT8, Type::UUID, Type::INT8, Type::INT8],
    };
    let (at, key) = place.unwrap_or((Timestamp::from_micros(i64::MAX), AddressKey([255; 16])));
    let params: [Param<'_>; 4] = [
        &at.micros(),
        &Id::from(key),
        &now.micros(),
        &i64::from(limit),
    ];
    let rows = session.query(&PAGE, &params).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Suppression, Failure> {
    Ok(Suppression {
        address: address(get(row, 0)?)?,
        reason: SuppressionReason::parse(get(row, 1)?)
            .ok_or(Failure::Unreadable("unknown reason"))?,
        detail: get(row, 2)?,
        at: moment(row, 3)?,
        until: get::<Option<i64>>(row, 4)?.map(Timestamp::from_micros),
    })
}

#[async_trait]
impl Reception for PostgresStore {
    async fn receive(&self, id: DeliveryId, mut rule: Receive) -> Result<Option<bool>, StoreError> {
        let held = self.pool.take().await?;
        let work = receive(&held, &self.bench, id, &mut rule);
        let done = held.transact(held.in_time(work)).await;
        held.ended(done)
    }

    async fn suppress(&self, suppression: Suppression) -> Result<(), StoreError> {
        let held = self.pool.take().await?;
        let done = held.transact(held.in_time(put(&held, &suppression))).await;
        held.ended(done)
    }

    async fn unsuppress(&self, address: AddressKey) -> Result<bool, StoreError> {
        let held = self.pool.take().await?;
        let done = held.transact(held.in_time(drop_one(&held, address))).await;
        held.ended(done).map(|gone| gone > 0)
    }

    async fn find_suppression(
        &self,
        address: AddressKey,
    ) -> Result<Option<Suppression>, StoreError> {
        let held = self.pool.take().await?;
        let keys = [Id::from(address)];
        let found = held.in_time(find_all(&held, &keys)).await;
        held.end(found.map(|mut found| found.remove(&address)))
    }

    async fn suppressions(
        &self,
        now: Timestamp,
        place: Option<SuppressionPlace>,
        limit: u16,
    ) -> Result<Vec<Suppression>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(page(&held, now, place, limit)).await;
        held.end(found)
    }
}
