//! The PostgreSQL engine through a real pgbouncer that pools transactions, with fewer connections than
//! the engine has: each transaction lands in whatever session is free.

use postern_store::testing::TempStore;
use postern_store::{PostgresTuning, Tuning};
use postern_testkit::pgbouncer::PgBouncer;

async fn store() -> TempStore {
    let postgres = PostgresTuning {
        prepared: false,
        ..PostgresTuning::default()
    };
    let tuning = Tuning {
        postgres,
        ..Tuning::default()
    };
    TempStore::at(Some(PgBouncer::shared().database()), tuning).await
}

postern_store::contract!(crate::store);
