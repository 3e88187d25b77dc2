//! A database whose owner made `serializable` its default: what is promised of races holds there too.

use postern_store::Tuning;
use postern_store::contract::{
    auth_requests, deliveries, desk, isolation, log, registry, templates,
};
use postern_store::testing::TempStore;
use postern_testkit::postgres::Postgres;

/// A store in such a database.
async fn store() -> TempStore {
    let postgres = Postgres::shared();
    let url = postgres.database();
    let name = url.trim_start_matches("postgres:///").split('?').next();
    let name = name.expect("a URL names its database");
    let set = format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'");
    postgres.psql("postgres", &set).expect("it is ours");
    let shown = postgres.psql(name, "SHOW default_transaction_isolation");
    assert_eq!(shown.expect("it answers").trim(), "serializable");
    TempStore::at(Some(url), Tuning::default()).await
}

/// Makes a test of each of these functions of the contract.
macro_rules! holds {
    ($($room:ident: $($name:ident,)+;)+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $room::$name(store().await).await;
            }
        )+)+
    };
}

holds! {
    auth_requests:
        single_use_under_race,
        at_most_five_of_a_hundred_parallel_guesses_count,
        the_guess_budget_holds_across_the_requests_of_an_address,
        quotas_hold_under_race,
        a_client_cap_holds_under_race,
        a_resend_and_a_redeem_that_race_leave_one_meaning,;
    deliveries:
        a_delivery_is_claimed_once_under_race,
        a_delivery_settles_once,;
    desk:
        an_invitation_is_taken_once_and_in_time,;
    isolation:
        a_panicking_act_fails_alone,;
    log:
        events_are_taken_in_once_however_many_try,;
    registry:
        parallel_amendments_lose_none,;
    templates:
        one_of_many_who_saw_the_same_version_saves,;
}
