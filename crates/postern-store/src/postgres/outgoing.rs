//! Reading deliveries that are about to be sent.

use std::collections::HashMap;

use postern_core::model::{DeliveryId, Outgoing};
use postern_core::ports::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::pool::Pool;
use super::session::{Param, Session, Sql};
use super::together::Together;
use super::value::{Id, delivery_id, sealed};
use super::{auth_request, delivery};

/// What is read of a delivery, or why it could not be; none where there is no such delivery.
pub(super) type Read = Result<Option<Outgoing>, StoreError>;

/// Where those who are about to send a mail ask for it.
pub(super) type Reads = Together<DeliveryId, Read>;

/// Reads deliveries with their requests and inputs; one that does not read fails by itself, also where the
/// database says nothing of the others because of it.
pub(super) async fn read(pool: &Pool, ids: Vec<DeliveryId>) -> Vec<Read> {
    let together = at_once(pool, &ids).await;
    if ids.len() < 2
        || !together
            .iter()
            .all(|read| matches!(read, Err(StoreError::Broken(_))))
    {
        return together;
    }
    let mut each = Vec::with_capacity(ids.len());
    for id in ids {
        each.extend(at_once(pool, &[id]).await);
    }
    each
}

async fn at_once(pool: &Pool, ids: &[DeliveryId]) -> Vec<Read> {
    match found(pool, ids).await {
        Ok(found) => {
            let one = |id| {
                found
                    .get(id)
                    .cloned()
                    .transpose()
                    .map_err(Failure::not_done)
            };
            ids.iter().map(one).collect()
        }
        Err(error) => ids.iter().map(|_| Err(repeated(&error))).collect(),
    }
}

type Found = HashMap<DeliveryId, Result<Outgoing, Failure>>;

async fn found(pool: &Pool, ids: &[DeliveryId]) -> Result<Found, StoreError> {
    let held = pool.take().await?;
    let found = held.in_time(find_all(&held, ids)).await;
    held.end(found)
}

async fn find_all(session: &Session, ids: &[DeliveryId]) -> Result<Found, Failure> {
    static OUTGOING: Sql = Sql {
        text: "SELECT mail.request_id, mail.ordinal, mail.generation, mail.state, mail.attempts, mail.queued_at, mail.due_at, \
               mail.provider, mail.fault, mail.in_a_row, \
               asked.id, asked.state, asked.expires_at, asked.generation, asked.generation_at, asked.sent_at, asked.resends, \
               asked.wrong, asked.kid, asked.method, asked.template, asked.code_length, asked.alphabet, asked.hardened, \
               asked.lifetime, asked.client, asked.address, asked.state_kid, asked.caller_state, asked.version, asked.test, \
               given.kid, given.input \
               FROM unnest($1, $2) AS wanted (request_id, ordinal) \
               JOIN deliveries AS mail ON mail.request_id = wanted.request_id AND mail.ordinal = wanted.ordinal \
               JOIN auth_requests AS asked ON asked.id = mail.request_id \
               LEFT JOIN mail_inputs AS given ON given.request_id = mail.request_id",
        types: &[Type::UUID_ARRAY, Type::INT4_ARRAY],
    };
    let requests: Vec<Id> = ids.iter().map(|id| Id::from(id.request)).collect();
    let ordinals: Vec<i32> = ids.iter().map(|id| i32::from(id.ordinal)).collect();
    let params: [Param<'_>; 2] = [&requests, &ordinals];
    let rows = session.query(&OUTGOING, &params).await?;
    rows.iter().map(one).collect()
}

fn one(row: &Row) -> Result<(DeliveryId, Result<Outgoing, Failure>), Failure> {
    /// How many columns a delivery has, and a request behind it.
    const WIDTHS: (usize, usize) = (10, 21);
    let whole = || {
        Ok(Outgoing {
            delivery: delivery::read(row)?.1,
            request: auth_request::read(row, WIDTHS.0)?.0,
            input: sealed(row, WIDTHS.0 + WIDTHS.1)?,
        })
    };
    Ok((delivery_id(row, 0)?, whole()))
}

/// The same for another who asked.
fn repeated(error: &StoreError) -> StoreError {
    match error {
        StoreError::Refused => StoreError::Refused,
        StoreError::NotDone(cause) => StoreError::NotDone(cause.to_string().into()),
        StoreError::Unknown(cause) => StoreError::Unknown(cause.to_string().into()),
        StoreError::Broken(cause) => StoreError::Broken(cause.to_string().into()),
    }
}
