//! The PostgreSQL engine as it is behind a pooler that pools transactions: nothing is prepared on the
//! server, and nothing is set for a session.

use postern_store::testing::TempStore;
use postern_store::{PostgresTuning, Tuning};
use postern_testkit::postgres::Postgres;

async fn store() -> TempStore {
    let postgres = PostgresTuning {
        prepared: false,
        ..PostgresTuning::default()
    };
    let tuning = Tuning {
        postgres,
        ..Tuning::default()
    };
    TempStore::at(Some(Postgres::empty_database()), tuning).await
}

postern_store::contract!(crate::store);
