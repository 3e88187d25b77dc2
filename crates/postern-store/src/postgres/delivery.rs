use std::collections::HashMap;
use std::time::Duration;

use postern_core::model::{
    AuthRequestId, Delivery, DeliveryId, DeliveryState, Email, Fault, LastTry, NodeId, Sealed,
    Timestamp,
};
use postern_core::ports::{AddressedDelivery, OutboxState, WantedDeliveries};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::{Failure, together};
use super::ledger::all_won;
use super::session::{Param, Session, Sql};
use super::value::{Id, delivery_id, get, moment, number, request_id, sealed};

static FIND: Sql = Sql {
    text: "SELECT held.request_id, held.ordinal, held.generation, held.state, held.attempts, held.queued_at, held.due_at, \
           held.provider, held.fault, held.in_a_row FROM unnest($1, $2) AS wanted (request_id, ordinal) JOIN deliveries AS held \
           ON held.request_id = wanted.request_id AND held.ordinal = wanted.ordinal",
    types: &[Type::UUID_ARRAY, Type::INT4_ARRAY],
};

/// Finds deliveries.
pub(super) async fn find_all(
    session: &Session,
    ids: &[DeliveryId],
) -> Result<HashMap<DeliveryId, Delivery>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let (requests, ordinals) = columns(ids);
    let rows = session.query(&FIND, &[&requests, &ordinals]).await?;
    rows.iter().map(read).collect()
}

fn columns(ids: &[DeliveryId]) -> (Vec<Id>, Vec<i32>) {
    ids.iter()
        .map(|id| (Id::from(id.request), i32::from(id.ordinal)))
        .unzip()
}

pub(super) fn read(row: &Row) -> Result<(DeliveryId, Delivery), Failure> {
    let id = delivery_id(row, 0)?;
    let delivery = Delivery {
        id,
        generation: number::<i32, _>(row, 2)?,
        state: state(get(row, 3)?)?,
        attempts: number::<i32, _>(row, 4)?,
        queued_at: moment(row, 5)?,
        due_at: moment(row, 6)?,
        last_try: last_try(row, 7)?,
    };
    Ok((id, delivery))
}

fn state(number: i16) -> Result<DeliveryState, Failure> {
    DeliveryState::ALL
        .into_iter()
        .find(|state| i16::from(state.number()) == number)
        .ok_or(Failure::Unreadable("unknown delivery state"))
}

fn last_try(row: &Row, from: usize) -> Result<Option<LastTry>, Failure> {
    let Some(provider) = get(row, from)? else {
        return Ok(None);
    };
    let fault = |number: i16| {
        let fault = Fault::ALL
            .into_iter()
            .find(|one| i16::from(one.number()) == number);
        fault.ok_or(Failure::Unreadable("unknown fault"))
    };
    Ok(Some(LastTry {
        provider,
        fault: get::<Option<i16>>(row, from + 1)?.map(fault).transpose()?,
        in_a_row: number::<i32, _>(row, from + 2)?,
    }))
}

/// The newest deliveries that match.
pub(super) async fn list(
    session: &Session,
    wanted: WantedDeliveries,
) -> Result<Vec<AddressedDelivery>, Failure> {
    static LIST: Sql = Sql {
        text: "SELECT held.request_id, held.ordinal, held.generation, held.state, held.attempts, held.queued_at, \
               held.due_at, held.provider, held.fault, held.in_a_row, request.address \
               FROM deliveries AS held JOIN auth_requests AS request ON request.id = held.request_id \
               WHERE held.request_id BETWEEN $1 AND $2 AND (held.request_id, held.ordinal) < ($3, $4) \
               AND ($5 < 0 OR held.state = $5) \
               ORDER BY held.request_id DESC, held.ordinal DESC LIMIT $6",
        types: &[
            Type::UUID,
            Type::UUID,
            Type::UUID,
            Type::INT4,
            Type::INT2,
            Type::INT8,
        ],
    };
    let (from, to) = match wanted.request {
        Some(request) => (Id::from(request), Id::from(request)),
        None => (Id([0; 16]), Id([0xff; 16])),
    };
    let (before, ordinal) = match wanted.before {
        Some(id) => (Id::from(id.request), i32::from(id.ordinal)),
        None => (Id([0xff; 16]), i32::MAX),
    };
    let state = wanted.state.map_or(-1, |state| i16::from(state.number()));
    let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
    let params: [Param<'_>; 6] = [&from, &to, &before, &ordinal, &state, &limit];
    let rows = session.query(&LIST, &params).await?;
    let one = |row: &Row| {
        let address: &str = get(row, 10)?;
        let address = Email::parse(address).map_err(|_| Failure::Unreadable("no address"))?;
        let (_, delivery) = read(row)?;
        Ok(AddressedDelivery { delivery, address })
    };
    rows.iter().map(one).collect()
}

static INPUTS: Sql = Sql {
    text: "SELECT request_id, kid, input FROM mail_inputs WHERE request_id = ANY($1)",
    types: &[Type::UUID_ARRAY],
};

/// The sealed inputs of requests' mails.
pub(super) async fn inputs(
    session: &Session,
    requests: &[Id],
) -> Result<HashMap<AuthRequestId, Sealed>, Failure> {
    if requests.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.query(&INPUTS, &[&requests]).await?;
    let mut found = HashMap::new();
    for row in &rows {
        if let Some(input) = sealed(row, 1)? {
            found.insert(request_id(row, 0)?, input);
        }
    }
    Ok(found)
}

/// Mails to queue, with the inputs of new requests.
#[derive(Default)]
pub(super) struct Queued {
    pub(super) deliveries: Vec<Delivery>,
    pub(super) inputs: Vec<(AuthRequestId, Sealed)>,
}

impl Queued {
    pub(super) fn is_empty(&self) -> bool {
        self.deliveries.is_empty() && self.inputs.is_empty()
    }

    /// Writes them, leased to `node`.
    pub(super) async fn insert(&self, session: &Session, node: NodeId) -> Result<(), Failure> {
        let (queued, inputs) =
            futures_util::future::join(self.queue(session, node), self.put_inputs(session)).await;
        together([queued, inputs])
    }

    async fn queue(&self, session: &Session, node: NodeId) -> Result<(), Failure> {
        static INSERT: Sql = Sql {
            text: "INSERT INTO deliveries (request_id, ordinal, generation, state, attempts, queued_at, due_at, node) \
                   SELECT request_id, ordinal, generation, state, attempts, queued_at, due_at, $8 \
                   FROM unnest($1, $2, $3, $4, $5, $6, $7) \
                   AS new (request_id, ordinal, generation, state, attempts, queued_at, due_at)",
            types: &[
                Type::UUID_ARRAY,
                Type::INT4_ARRAY,
                Type::INT4_ARRAY,
                Type::INT2_ARRAY,
                Type::INT4_ARRAY,
                Type::INT8_ARRAY,
                Type::INT8_ARRAY,
                Type::BYTEA,
            ],
        };
        if self.deliveries.is_empty() {
            return Ok(());
        }
        let params: [Param<'_>; 8] = [
            &self.each(|one| Id::from(one.id.request)),
            &self.each(|one| i32::from(one.id.ordinal)),
            &self.each(|one| i32::from(one.generation)),
            &self.each(|one| i16::from(one.state.number())),
            &self.each(|one| i32::from(one.attempts)),
            &self.each(|one| one.queued_at.micros()),
            &self.each(|one| one.due_at.micros()),
            &node.0.as_slice(),
        ];
        session.execute(&INSERT, &params).await.map(drop)
    }

    fn each<T>(&self, column: impl Fn(&Delivery) -> T) -> Vec<T> {
        self.deliveries.iter().map(column).collect()
    }

    async fn put_inputs(&self, session: &Session) -> Result<(), Failure> {
        static INSERT: Sql = Sql {
            text: "INSERT INTO mail_inputs (request_id, kid, input) SELECT * FROM unnest($1, $2, $3)",
            types: &[Type::UUID_ARRAY, Type::INT2_ARRAY, Type::BYTEA_ARRAY],
        };
        if self.inputs.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = self.inputs.iter().map(|(id, _)| Id::from(*id)).collect();
        let kids: Vec<_> = self
            .inputs
            .iter()
            .map(|(_, one)| i16::from(one.kid))
            .collect();
        let bytes: Vec<_> = self.inputs.iter().map(|(_, one)| &*one.bytes).collect();
        session
            .execute(&INSERT, &[&ids, &kids, &bytes])
            .await
            .map(drop)
    }
}

/// Ends of attempts: deliveries before and after.
#[derive(Default)]
pub(super) struct Ended(pub(super) Vec<(Delivery, Delivery)>);

impl Ended {
    /// Writes them, each if its delivery is still queued and was tried by nobody else.
    ///
    /// # Errors
    /// [`Failure::Raced`] when one was not.
    pub(super) async fn update(&self, session: &Session) -> Result<(), Failure> {
        static UPDATE: Sql = Sql {
            text: "UPDATE deliveries AS held SET state = new.state, attempts = new.attempts, due_at = new.due_at, node = NULL, \
                   provider = new.provider, fault = new.fault, in_a_row = new.in_a_row \
                   FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
                   AS new (request_id, ordinal, before, state, attempts, due_at, provider, fault, in_a_row) \
                   WHERE held.request_id = new.request_id AND held.ordinal = new.ordinal AND held.state = 0 \
                   AND held.attempts = new.before RETURNING held.ordinal",
            types: &[
                Type::UUID_ARRAY,
                Type::INT4_ARRAY,
                Type::INT4_ARRAY,
                Type::INT2_ARRAY,
                Type::INT4_ARRAY,
                Type::INT8_ARRAY,
                Type::TEXT_ARRAY,
                Type::INT2_ARRAY,
                Type::INT4_ARRAY,
            ],
        };
        if self.0.is_empty() {
            return Ok(());
        }
        let faults = self.each(|(_, after)| {
            let fault = after.last_try.as_ref()?.fault?;
            Some(i16::from(fault.number()))
        });
        let last = self.0.iter().map(|(_, after)| after.last_try.as_ref());
        let providers: Vec<Option<&str>> = last
            .map(|last| last.map(|last| last.provider.as_str()))
            .collect();
        let params: [Param<'_>; 9] = [
            &self.each(|(_, after)| Id::from(after.id.request)),
            &self.each(|(_, after)| i32::from(after.id.ordinal)),
            &self.each(|(before, _)| i32::from(before.attempts)),
            &self.each(|(_, after)| i16::from(after.state.number())),
            &self.each(|(_, after)| i32::from(after.attempts)),
            &self.each(|(_, after)| after.due_at.micros()),
            &providers,
            &faults,
            &self.each(|(_, after)| after.last_try.as_ref().map(|last| i32::from(last.in_a_row))),
        ];
        let won = session.query(&UPDATE, &params).await?;
        all_won(won.len(), self.0.len())
    }

    fn each<T>(&self, column: impl Fn(&(Delivery, Delivery)) -> T) -> Vec<T> {
        self.0.iter().map(column).collect()
    }
}

/// Leases up to `limit` deliveries that are due, oldest first; those that another node is taking at
/// this moment are left to it.
pub(super) async fn claim(
    session: &Session,
    node: NodeId,
    limit: usize,
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<DeliveryId>, Failure> {
    static DUE: Sql = Sql {
        text: "SELECT request_id, ordinal FROM deliveries WHERE state = 0 AND due_at <= $1 \
               ORDER BY due_at, queued_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        types: &[Type::INT8, Type::INT8],
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = session.query(&DUE, &[&now.micros(), &limit]).await?;
    let due: Vec<DeliveryId> = rows
        .iter()
        .map(|row| delivery_id(row, 0))
        .collect::<Result<_, _>>()?;
    lease_out(session, &due, now.plus(lease), Some(node)).await?;
    Ok(due)
}

async fn lease_out(
    session: &Session,
    ids: &[DeliveryId],
    until: Timestamp,
    node: Option<NodeId>,
) -> Result<(), Failure> {
    static LEASE: Sql = Sql {
        text: "UPDATE deliveries AS held SET due_at = $3, node = $4 FROM unnest($1, $2) AS due (request_id, ordinal) \
               WHERE held.request_id = due.request_id AND held.ordinal = due.ordinal",
        types: &[Type::UUID_ARRAY, Type::INT4_ARRAY, Type::INT8, Type::BYTEA],
    };
    if ids.is_empty() {
        return Ok(());
    }
    let (requests, ordinals) = columns(ids);
    let node = node.as_ref().map(|node| node.0.as_slice());
    let params: [Param<'_>; 4] = [&requests, &ordinals, &until.micros(), &node];
    session.execute(&LEASE, &params).await.map(drop)
}

/// Ends up to `limit` leases of other nodes; a wait before a repeat is no lease and stays.
pub(super) async fn release(
    session: &Session,
    node: NodeId,
    now: Timestamp,
    limit: i64,
) -> Result<usize, Failure> {
    static HELD: Sql = Sql {
        text: "SELECT request_id, ordinal FROM deliveries WHERE state = 0 AND due_at > $1 AND node IS NOT NULL AND node <> $2 \
               ORDER BY due_at, queued_at LIMIT $3 FOR UPDATE SKIP LOCKED",
        types: &[Type::INT8, Type::BYTEA, Type::INT8],
    };
    let params: [Param<'_>; 3] = [&now.micros(), &node.0.as_slice(), &limit];
    let rows = session.query(&HELD, &params).await?;
    let held: Vec<DeliveryId> = rows
        .iter()
        .map(|row| delivery_id(row, 0))
        .collect::<Result<_, _>>()?;
    lease_out(session, &held, now, None).await?;
    Ok(held.len())
}

/// How much waits, from the index alone.
pub(super) async fn outbox(session: &Session) -> Result<OutboxState, Failure> {
    static OUTBOX: Sql = Sql {
        text: "SELECT count(*), min(queued_at) FROM deliveries WHERE state = 0",
        types: &[],
    };
    let rows = session.query(&OUTBOX, &[]).await?;
    let row = rows.first().ok_or(Failure::Unreadable("no count"))?;
    Ok(OutboxState {
        depth: number::<i64, _>(row, 0)?,
        oldest: get::<Option<i64>>(row, 1)?.map(Timestamp::from_micros),
    })
}
