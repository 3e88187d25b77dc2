//! Nodes that sweep one PostgreSQL: whoever comes first does it, nobody leads, nothing is done twice.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{AuthRequestId, NodeId};
use postern_core::ports::{Clock, Engine, Keep, Swept};
use postern_store::contract::{accept, send_many, told};
use postern_store::testing::TempStore;
use postern_store::{Tuning, connect};
use postern_testkit::postgres::Postgres;

const DAY: Duration = Duration::from_hours(24);
/// More than one node looks at in one piece.
const REQUESTS: u16 = 650;

/// Three nodes with one clock on a database of their own, and its name.
struct Nodes {
    first: TempStore,
    others: [Arc<dyn Engine>; 2],
    postgres: Arc<Postgres>,
    database: String,
}

impl Nodes {
    async fn start() -> Self {
        let postgres = Postgres::shared();
        let url = postgres.database();
        let first = TempStore::at(Some(url.clone()), Tuning::default()).await;
        let node = async |id| {
            let clock = Arc::clone(&first.clock) as Arc<dyn Clock>;
            let opened = connect(&url, NodeId([id; 8]), clock, Tuning::default()).await;
            opened.unwrap()
        };
        let others = [node(8).await, node(9).await];
        let name = url.trim_start_matches("postgres:///").split('?').next();
        Self {
            database: name.unwrap().to_owned(),
            first,
            others,
            postgres,
        }
    }

    fn engines(&self) -> Vec<Arc<dyn Engine>> {
        let first = Arc::clone(&self.first.engine);
        std::iter::once(first).chain(self.others.clone()).collect()
    }

    fn keep(&self) -> Keep {
        let now = self.first.clock.now();
        Keep {
            requests_from: now.minus(7 * DAY),
            events_from: now.minus(90 * DAY),
        }
    }

    fn rows(&self, table: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let count = self.postgres.psql(&self.database, &sql).unwrap();
        count.trim().parse().unwrap()
    }
}

/// A round of one node's sweeper: as long as there is more to do at once.
async fn sweep(engine: Arc<dyn Engine>, keep: Keep) -> Swept {
    let mut all = Swept::default();
    loop {
        let swept = engine.sweep(keep).await.unwrap();
        all.expired += swept.expired;
        all.removed += swept.removed;
        if !swept.more {
            return all;
        }
    }
}

/// A round of all of them at once.
async fn together(nodes: &Nodes) -> Swept {
    let keep = nodes.keep();
    let rounds = nodes
        .engines()
        .into_iter()
        .map(|engine| tokio::spawn(sweep(engine, keep)));
    let mut all = Swept::default();
    for round in rounds.collect::<Vec<_>>() {
        let swept = round.await.unwrap();
        all.expired += swept.expired;
        all.removed += swept.removed;
    }
    all
}

async fn ends_told(nodes: &Nodes, id: AuthRequestId) -> usize {
    let told = told(&nodes.first, id).await;
    told.iter().filter(|kind| *kind == "expired").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_sweep_at_once_do_everything_once_and_without_an_error() {
    let nodes = Nodes::start().await;
    let ids = send_many(&nodes.first, REQUESTS).await;
    let (used, open) = ids.split_at(50);
    for id in used {
        let used = nodes.first.engine.redeem(*id, false, accept()).await;
        used.unwrap().outcome.unwrap();
    }
    nodes.first.clock.advance(Duration::from_mins(6));
    assert_eq!(together(&nodes).await.expired, open.len() as u64);
    assert_eq!(together(&nodes).await, Swept::default());
    for id in &ids {
        assert_eq!(
            ends_told(&nodes, *id).await,
            usize::from(!used.contains(id)),
            "{id}"
        );
    }

    nodes.first.clock.advance(8 * DAY);
    let counted = ["auth_requests", "deliveries", "address_sends"];
    let before: u64 = counted.iter().map(|table| nodes.rows(table)).sum();
    assert_eq!(before, 3 * u64::from(REQUESTS));
    assert_eq!(together(&nodes).await.removed, before);
    for table in counted {
        assert_eq!(nodes.rows(table), 0, "{table}");
    }
    nodes.first.clock.advance(91 * DAY);
    let events = nodes.rows("events");
    assert_eq!(together(&nodes).await.removed, events);
    assert_eq!(nodes.rows("events"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_that_died_left_is_swept_by_the_others() {
    let nodes = Nodes::start().await;
    let ids = send_many(&nodes.first, REQUESTS).await;
    nodes.first.clock.advance(Duration::from_mins(6));
    nodes.first.engine.sweep(nodes.keep()).await.unwrap();
    nodes.first.clock.advance(8 * DAY);
    nodes.first.engine.sweep(nodes.keep()).await.unwrap();
    nodes.first.engine.close().await;
    let left = nodes.rows("auth_requests");
    assert!((1..ids.len() as u64).contains(&left), "{left}");
    for other in &nodes.others {
        sweep(Arc::clone(other), nodes.keep()).await;
    }
    assert_eq!(nodes.rows("auth_requests") + nodes.rows("deliveries"), 0);
}
