//! Nodes of one PostgreSQL whose clocks differ by as much as is promised to be borne.

use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{LogStatus, NodeId};
use postern_core::ports::Clock;
use postern_store::contract::{accept, send_many};
use postern_store::testing::{FrozenClock, TempStore};
use postern_store::{Tuning, connect};
use postern_testkit::postgres::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_behind_tells_of_requests_of_a_node_ahead_is_all_in_the_log() {
    let url = Postgres::shared().database();
    let ahead = TempStore::at(Some(url.clone()), Tuning::default()).await;
    let clock: Arc<dyn Clock> = Arc::new(FrozenClock::default());
    let behind = connect(&url, NodeId([9; 8]), clock, Tuning::default()).await;
    let behind = behind.expect("the store opens");
    ahead.clock.advance(Duration::from_secs(2));
    // More than are taken in by one act, so that no opening is in the act of its end.
    let requests = send_many(&ahead, 600).await;
    for id in &requests {
        let used = behind.redeem(*id, false, accept()).await;
        used.expect("the store answers")
            .outcome
            .expect("it is open");
    }
    ahead.project().await;
    for id in requests {
        let entry = ahead
            .engine
            .find_logged(id)
            .await
            .expect("the store answers");
        let entry = entry.expect("it is in the log");
        assert_eq!(
            (entry.status, entry.events.len()),
            (LogStatus::Success, 2),
            "{id}"
        );
    }
}
