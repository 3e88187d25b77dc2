//! How the server finds rows while it knows nothing of the tables yet.

use postern_core::settings::Settings;
use postern_store::contract::{accept, guess, resend, send};
use postern_store::testing::TempStore;
use postern_store::{PostgresTuning, Tuning};
use postern_testkit::postgres::{Keeps, Postgres};

/// Rows of the tables that grow with every call which were read only because the whole table was.
const READ_THROUGH: &str = "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables WHERE relname IN \
     ('auth_requests', 'deliveries', 'events', 'mail_inputs', 'address_sends', 'address_guesses', 'log_requests')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_on_a_new_database_read_no_table_as_a_whole() {
    // Nobody gathers statistics, as in the first minute of any database.
    let settings = ["autovacuum=off".to_owned()];
    let postgres = Postgres::start_with(Keeps::WhatTestsNeed, &settings);
    let postgres = postgres.unwrap_or_else(|error| panic!("{error}"));
    let url = postgres.database();
    let bounds = PostgresTuning {
        writers: 1,
        ..PostgresTuning::default()
    };
    let tuning = Tuning {
        postgres: bounds,
        ..Tuning::default()
    };
    let store = TempStore::at(Some(url.clone()), tuning).await;
    for n in 0..60 {
        let id = send(&store, n, &format!("a{n}")).await;
        let engine = &store.engine;
        let again = resend(Settings::default());
        engine.reissue(id, false, again).await.unwrap();
        engine.redeem(id, true, guess(1)).await.unwrap();
        engine.redeem(id, true, accept()).await.unwrap();
        engine.project().await.unwrap();
    }
    store.engine.close().await;
    drop(store);
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'postern'";
    while postgres.psql("postgres", left).unwrap().trim() != "0" {
        tokio::task::yield_now().await;
    }
    let read = postgres.psql(name.unwrap(), READ_THROUGH).unwrap();
    assert_eq!(read.trim(), "0");
}
