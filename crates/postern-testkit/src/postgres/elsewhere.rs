use std::sync::atomic::{AtomicU32, Ordering};

use super::{Postgres, said, tool};

/// Names a server that the store's contract is to run on instead of one made for the tests: the URL of a
/// database whose role may create others, such as `postgres://me@127.0.0.1:5433/postgres`.
const ELSEWHERE: &str = "POSTERN_TEST_DATABASE";

impl Postgres {
    /// The URL of an empty database: on the server that `POSTERN_TEST_DATABASE` names, which may be of another
    /// version or another engine of the same protocol, else on [`Self::shared`].
    ///
    /// # Panics
    /// The server does not make it.
    pub fn empty_database() -> String {
        match std::env::var(ELSEWHERE) {
            Ok(url) => on(&url),
            Err(_) => Self::shared().database(),
        }
    }
}

fn on(url: &str) -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::SeqCst);
    let name = format!("postern_test_{}_{number}", std::process::id());
    let mut psql = tool("psql").unwrap_or_else(|error| panic!("{error}"));
    psql.args(["-X", "-q", "-d", url, "-c"]);
    let made = said(psql.arg(format!("CREATE DATABASE {name}")));
    made.unwrap_or_else(|error| panic!("no database on {ELSEWHERE}: {error}"));
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let (server, _) = server.rsplit_once('/').expect("a URL names a database");
    format!("{server}/{name}?{query}")
}
