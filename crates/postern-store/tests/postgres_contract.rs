//! The PostgreSQL engine, put through the contract of the ports.

use postern_store::Tuning;
use postern_store::testing::TempStore;
use postern_testkit::postgres::Postgres;

async fn store() -> TempStore {
    TempStore::at(Some(Postgres::empty_database()), Tuning::default()).await
}

postern_store::contract!(crate::store);
