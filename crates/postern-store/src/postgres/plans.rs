//! How the server is to find the rows that a prepared statement names.
//!
//! It plans a prepared statement a few times and then keeps the plan, chosen by what it knew of the
//! tables: next to nothing on a new database, where reading all of a table looks as cheap as one row of
//! it. The table grows, and the plan stays until the server gathers statistics, a minute or more later:
//! until then each batch reads the whole table. Every statement that we prepare finds its rows by a key,
//! so the server is told to do that whatever it believes.

use super::session::Session;

/// One by one, because an engine that is only compatible may not know some of them. Without them calls
/// are slower on a young database, not wrong.
const BY_KEY: [&str; 6] = [
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    // Nothing is left to choose by the parameters.
    "SET plan_cache_mode = force_generic_plan",
    // What the server believes to be expensive now would be compiled first.
    "SET jit = off",
];

/// Tells the server of a new session.
pub(super) async fn by_key(session: &Session) {
    let told = BY_KEY.map(|words| session.run(words));
    for refused in futures_util::future::join_all(told).await {
        if let Err(failure) = refused {
            tracing::debug!(error = %failure, "the database keeps to plans of its own");
        }
    }
}
