//! Events on their way into the authentication log of a PostgreSQL.

use std::sync::Arc;

use postern_core::model::{AuthRequestId, LogStatus};
use postern_store::Tuning;
use postern_store::contract::{accept, send_many};
use postern_store::testing::TempStore;
use postern_testkit::postgres::Postgres;

struct Bed {
    postgres: Arc<Postgres>,
    database: String,
    store: TempStore,
}

impl Bed {
    async fn new() -> Self {
        let postgres = Postgres::shared();
        let url = postgres.database();
        let name = url.trim_start_matches("postgres:///");
        let database = name.split('?').next().unwrap_or_default().to_owned();
        let store = TempStore::at(Some(url), Tuning::default()).await;
        Self {
            postgres,
            database,
            store,
        }
    }

    fn sql(&self, words: &str) -> String {
        let told = self.postgres.psql(&self.database, words);
        told.expect("it is said well").trim().to_owned()
    }

    async fn used(&self, id: AuthRequestId) {
        let used = self.store.engine.redeem(id, false, accept()).await;
        let outcome = used.expect("the store answers").outcome;
        outcome.expect("it is open");
    }

    /// How a request and its events stand in the log; `None` when it is not there.
    async fn logged(&self, id: AuthRequestId) -> Option<(LogStatus, usize)> {
        let entry = self.store.engine.find_logged(id).await;
        let entry = entry.expect("the store answers")?;
        Some((entry.status, entry.events.len()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_in_waits_no_longer_and_is_not_taken_in_again() {
    let bed = Bed::new().await;
    let requests = send_many(&bed.store, 300).await;
    for id in &requests {
        bed.used(*id).await;
    }
    assert_ne!(bed.sql("SELECT COUNT(*) FROM log_waiting"), "0");
    bed.store.project().await;
    bed.store.project().await;
    assert_eq!(bed.sql("SELECT COUNT(*) FROM log_waiting"), "0");
    assert_eq!(bed.sql("SELECT SUM(count) FROM log_counts"), "300");
    for id in requests {
        assert_eq!(bed.logged(id).await, Some((LogStatus::Success, 2)), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_visible_after_what_was_written_later_is_taken_in_all_the_same() {
    let bed = Bed::new().await;
    let requests = send_many(&bed.store, 2).await;
    bed.store.project().await;
    bed.used(requests[0]).await;
    bed.sql("CREATE TABLE unseen AS SELECT * FROM log_waiting");
    bed.sql("DELETE FROM log_waiting");
    bed.used(requests[1]).await;
    bed.store.project().await;
    let success = Some((LogStatus::Success, 2));
    assert_eq!(
        bed.logged(requests[0]).await,
        Some((LogStatus::Initiated, 1))
    );
    assert_eq!(bed.logged(requests[1]).await, success);
    bed.sql("INSERT INTO log_waiting SELECT * FROM unseen");
    bed.store.project().await;
    assert_eq!(bed.logged(requests[0]).await, success);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_of_the_release_before_wrote_is_taken_in_too() {
    let bed = Bed::new().await;
    // More than are adopted at once.
    let requests = send_many(&bed.store, 600).await;
    bed.sql("DELETE FROM log_waiting");
    bed.sql("UPDATE events SET place = NULL");
    bed.used(requests[0]).await;
    bed.store.project().await;
    assert_eq!(
        bed.sql("SELECT COUNT(*) FROM events WHERE place IS NULL"),
        "0"
    );
    assert_eq!(bed.logged(requests[0]).await, Some((LogStatus::Success, 2)));
    for id in &requests[1..] {
        assert_eq!(
            bed.logged(*id).await,
            Some((LogStatus::Initiated, 1)),
            "{id}"
        );
    }
}
