use postern_core::model::AddressKey;
use postern_core::ports::StoreError;
use tokio_postgres::types::Type;

use super::audit;
use super::failure::Failure;
use super::log;
use super::pool::Pool;
use super::session::{Session, Sql};
use super::suppression;
use super::value::{Id, address, get};

/// Rows looked at in one read.
const LOOK: i64 = 5000;

/// One table that is looked through, and what goes with a row of it.
struct Place {
    look: Sql,
    drop: &'static [Sql],
}

static REQUESTS: Place = Place {
    look: Sql {
        text: "SELECT id, address FROM auth_requests WHERE id > $1 ORDER BY id LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    },
    drop: &[
        Sql {
            text: "DELETE FROM mail_inputs WHERE request_id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
        Sql {
            text: "DELETE FROM deliveries WHERE request_id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
        Sql {
            text: "DELETE FROM auth_requests WHERE id = ANY($1)",
            types: &[Type::UUID_ARRAY],
        },
    ],
};

static EVENTS: Place = Place {
    look: Sql {
        text: "SELECT id, address FROM events WHERE id > $1 ORDER BY id LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    },
    drop: &[Sql {
        text: "DELETE FROM events WHERE id = ANY($1)",
        types: &[Type::UUID_ARRAY],
    }],
};

/// Removes what names the address; there is no index by address, so everything is looked at, in
/// pieces between which others go on. The pages and the log of the server hold it until the server
/// reuses them: the vacuum that is asked for here lets it.
pub(super) async fn forget(pool: &Pool, key: AddressKey) -> Result<u64, StoreError> {
    let mut removed = scan(pool, key, &REQUESTS).await?;
    removed += scan(pool, key, &EVENTS).await?;
    unlog(pool, key).await?;
    let unnamed = unname(pool, key).await?;
    let held = pool.take().await?;
    let done = held.transact(held.in_time(suppression::drop_one(&held, key)));
    let done = done.await;
    removed += held.ended(done)?;
    if removed + unnamed > 0 {
        let held = pool.take().await?;
        if let Err(failure) = held
            .run("VACUUM auth_requests, deliveries, mail_inputs, events, audit")
            .await
        {
            tracing::warn!(error = %failure, "forgotten rows are left to the server's own vacuum");
        }
        held.end(Ok(()))?;
    }
    Ok(removed)
}

/// Takes the address out of the log, which says again what the requests and events said. What was read
/// into the log before is written by then, for who projects holds the cursor.
async fn unlog(pool: &Pool, key: AddressKey) -> Result<(), StoreError> {
    let mut more = true;
    while more {
        let held = pool.take().await?;
        let done = held
            .transact(held.in_time(log::forget(&held, key, LOOK)))
            .await;
        more = held.ended(done)?;
    }
    Ok(())
}

/// Takes the address out of what the audit says that admins did about it.
async fn unname(pool: &Pool, key: AddressKey) -> Result<u64, StoreError> {
    let (mut rewritten, mut from) = (0, Some(Id([0; 16])));
    while let Some(after) = from {
        let held = pool.take().await?;
        let done = held.transact(held.in_time(unname_piece(&held, key, after)));
        let done = done.await;
        let (more, next) = held.ended(done)?;
        rewritten += more;
        from = next;
    }
    Ok(rewritten)
}

async fn unname_piece(
    session: &Session,
    key: AddressKey,
    after: Id,
) -> Result<(u64, Option<Id>), Failure> {
    let held = audit::noted_after(session, after, LOOK).await?;
    let mut rewritten = 0;
    for (id, entry) in &held {
        if let Some(entry) = entry.without(key) {
            rewritten += audit::renote(session, Id(*id), &entry).await?;
        }
    }
    let full = i64::try_from(held.len()).unwrap_or(LOOK) == LOOK;
    let next = held.last().filter(|_| full).map(|(id, _)| Id(*id));
    Ok((rewritten, next))
}

async fn scan(pool: &Pool, key: AddressKey, place: &'static Place) -> Result<u64, StoreError> {
    let (mut removed, mut from) = (0, Some(Id([0; 16])));
    while let Some(after) = from {
        let held = pool.take().await?;
        let done = held
            .transact(held.in_time(piece(&held, key, place, after)))
            .await;
        let (more, next) = held.ended(done)?;
        removed += more;
        from = next;
    }
    Ok(removed)
}

/// Removes the address's rows from the piece after `after`; answers where to go on.
async fn piece(
    session: &Session,
    key: AddressKey,
    place: &Place,
    after: Id,
) -> Result<(u64, Option<Id>), Failure> {
    let rows = session.query(&place.look, &[&after, &LOOK]).await?;
    let mut found = Vec::new();
    for row in &rows {
        let owner = match get::<&str>(row, 1) {
            Ok(text) => address(text)?.key(),
            Err(_) => AddressKey(get::<Id>(row, 1)?.0),
        };
        if owner == key {
            found.push(get::<Id>(row, 0)?);
        }
    }
    let mut removed = 0;
    if !found.is_empty() {
        for sql in place.drop {
            removed += session.execute(sql, &[&found]).await?;
        }
    }
    let full = i64::try_from(rows.len()).unwrap_or(LOOK) == LOOK;
    let next = rows
        .last()
        .filter(|_| full)
        .map(|row| get(row, 0))
        .transpose()?;
    Ok((removed, next))
}
