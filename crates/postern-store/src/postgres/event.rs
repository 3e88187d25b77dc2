use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use postern_core::model::{AuthRequestId, ClientId, Event, EventId, EventKind, NodeId, Timestamp};
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::session::{Session, Sql};
use super::value::{Id, address_key, client, get, moment};
use super::waiting;

/// Ids of one microsecond that a node makes before they run into another node's.
const SEQUENCE: u64 = (1 << 20) - 1;

/// Makes event ids that grow without exception within this process, whatever the clock does, and
/// that no other node makes.
pub(super) struct EventIds {
    base: u128,
    last: Mutex<u128>,
}

impl EventIds {
    /// Ids of `node`.
    pub(super) fn new(node: NodeId) -> Self {
        Self {
            base: u128::from(u64::from_be_bytes(node.0) & !SEQUENCE),
            last: Mutex::default(),
        }
    }

    /// Goes on after the newest stored event, in a place of this node's own.
    pub(super) async fn resume(&self, session: &Session) -> Result<(), Failure> {
        static NEWEST: Sql = Sql {
            text: "SELECT id FROM events ORDER BY id DESC LIMIT 1",
            types: &[],
        };
        if let Some(row) = session.query(&NEWEST, &[]).await?.first() {
            let newest = u128::from_be_bytes(get::<Id>(row, 0)?.0);
            let after = (((newest >> 64) + 1) << 64) | self.base;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = after;
        }
        Ok(())
    }

    /// The next id, for an event at `at`.
    pub(super) fn next(&self, at: Timestamp) -> Id {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = (u128::from_be_bytes(floor(at)) | self.base).max(*last + 1);
        Id(last.to_be_bytes())
    }
}

/// The smallest id that an event at `at` can have.
pub(super) fn floor(at: Timestamp) -> [u8; 16] {
    let micros = u128::try_from(at.micros()).unwrap_or(0);
    (micros << 64).to_be_bytes()
}

/// Events to append, column by column.
#[derive(Default)]
pub(super) struct Told {
    id: Vec<Id>,
    at: Vec<i64>,
    request: Vec<Option<Id>>,
    client: Vec<Option<String>>,
    address: Vec<Id>,
    detail: Vec<String>,
}

impl Told {
    /// Adds events in their order; what one act tells about one request makes one row.
    pub(super) fn push(&mut self, ids: &EventIds, events: &[Event]) -> Result<(), Failure> {
        for row in events.chunk_by(of_one_act) {
            let Some(event) = row.first() else { continue };
            self.row(ids.next(event.at), event, row)?;
        }
        Ok(())
    }

    /// Adds an event that is noticed only now: its id is of this moment, so that who follows the log
    /// does not miss it.
    pub(super) fn push_late(
        &mut self,
        ids: &EventIds,
        now: Timestamp,
        event: &Event,
    ) -> Result<(), Failure> {
        self.row(ids.next(now), event, std::slice::from_ref(event))
    }

    fn row(&mut self, id: Id, event: &Event, row: &[Event]) -> Result<(), Failure> {
        let told: Vec<&EventKind> = row.iter().map(|event| &event.what).collect();
        let detail = serde_json::to_string(&told)
            .map_err(|_| Failure::Unreadable("an event has no JSON"))?;
        self.id.push(id);
        self.at.push(event.at.micros());
        self.request.push(event.request.map(Id::from));
        self.client
            .push(event.client.as_ref().map(ToString::to_string));
        self.address.push(event.address.into());
        self.detail.push(detail);
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.id.is_empty()
    }

    /// Writes them, and that the log has not taken them in.
    pub(super) async fn insert(&self, session: &Session) -> Result<(), Failure> {
        static INSERT: Sql = Sql {
            text: "WITH told AS (INSERT INTO events (id, at, request_id, client, address, detail, place) \
                   SELECT *, 0 FROM unnest($1, $2, $3, $4, $5, $6)) \
                   INSERT INTO log_waiting (first, ids) SELECT * FROM unnest($7, $8)",
            types: &[
                Type::UUID_ARRAY,
                Type::INT8_ARRAY,
                Type::UUID_ARRAY,
                Type::TEXT_ARRAY,
                Type::UUID_ARRAY,
                Type::TEXT_ARRAY,
                Type::UUID_ARRAY,
                Type::BYTEA_ARRAY,
            ],
        };
        if self.is_empty() {
            return Ok(());
        }
        let (firsts, runs) = waiting::runs(&self.id);
        let columns: [super::session::Param<'_>; 8] = [
            &self.id,
            &self.at,
            &self.request,
            &self.client,
            &self.address,
            &self.detail,
            &firsts,
            &runs,
        ];
        session.execute(&INSERT, &columns).await.map(drop)
    }
}

fn of_one_act(one: &Event, other: &Event) -> bool {
    (one.at, one.request, &one.client, one.address)
        == (other.at, other.request, &other.client, other.address)
}

/// What one act told, with the row's id.
pub(super) type Row = (EventId, Vec<Event>);

/// Whether a row tells that a request was opened.
pub(super) fn opens((_, told): &Row) -> bool {
    told.iter()
        .any(|event| matches!(event.what, EventKind::Initiated { .. }))
}

/// The rows with these ids, in the order of the ids of all; rows that are gone are passed over.
pub(super) async fn rows(session: &Session, ids: &[Id]) -> Result<Vec<Row>, Failure> {
    static ROWS: Sql = Sql {
        text: "SELECT id, at, request_id, client, address, detail FROM events WHERE id = ANY($1) ORDER BY id",
        types: &[Type::UUID_ARRAY],
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(&ROWS, &[&ids]).await?;
    rows.iter().map(read).collect()
}

/// Of the rows with these ids those that tell of one of these requests.
pub(super) async fn of_requests(
    session: &Session,
    ids: &[Id],
    requests: &[Id],
) -> Result<Vec<Row>, Failure> {
    static ROWS: Sql = Sql {
        text: "SELECT id, at, request_id, client, address, detail FROM events \
               WHERE id = ANY($1) AND request_id = ANY($2) ORDER BY id",
        types: &[Type::UUID_ARRAY, Type::UUID_ARRAY],
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(&ROWS, &[&ids, &requests]).await?;
    rows.iter().map(read).collect()
}

/// The events of these rows, in the order of the rows; rows that are gone are passed over.
pub(super) async fn named(session: &Session, named: &[EventId]) -> Result<Vec<Event>, Failure> {
    let ids: Vec<Id> = named.iter().map(|id| Id(*id)).collect();
    let mut told: HashMap<EventId, Vec<Event>> = rows(session, &ids).await?.into_iter().collect();
    Ok(named
        .iter()
        .filter_map(|id| told.remove(id))
        .flatten()
        .collect())
}

/// The events of one row.
fn read(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let at = moment(row, 1)?;
    let request = get::<Option<Id>>(row, 2)?.map(|id| AuthRequestId::from_bytes(id.0));
    let client: Option<ClientId> = get::<Option<&str>>(row, 3)?.map(client).transpose()?;
    let address = address_key(row, 4)?;
    let told: Vec<EventKind> = serde_json::from_str(get(row, 5)?)
        .map_err(|_| Failure::Unreadable("an event is not as expected"))?;
    let event = |what| Event {
        at,
        request,
        client: client.clone(),
        address,
        what,
    };
    Ok((get::<Id>(row, 0)?.0, told.into_iter().map(event).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_even_when_the_clock_stands_or_steps_back_and_no_two_nodes_make_the_same() {
        let nodes = [EventIds::new(NodeId([1; 8])), EventIds::new(NodeId([2; 8]))];
        let made = nodes
            .each_ref()
            .map(|ids| [5, 5, 3, 5, 6].map(|at| ids.next(Timestamp::from_micros(at))));
        for ids in &made {
            assert!(ids.is_sorted_by(|a, b| a < b));
            assert!(ids[0].0 >= floor(Timestamp::from_micros(5)));
        }
        assert!(made[0].iter().all(|id| !made[1].contains(id)));
    }
}
