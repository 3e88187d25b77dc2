use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use postern_testkit::postgres::{Keeps, Postgres};

use super::proxy::{Proxy, Wire};

/// Whom the nodes are at the database: no superuser, so that limits of connections hold for it.
const ROLE: &str = "node";
const DATABASE: &str = "torture";

/// A PostgreSQL of the run's own: a primary, and a standby without which nothing is committed.
pub(crate) struct Database {
    servers: [Postgres; 2],
    /// Which of them takes writes.
    primary: usize,
}

impl Database {
    /// Makes both and starts them.
    pub(crate) fn start() -> Result<Self> {
        let primary = Postgres::listening(Keeps::Everything)?;
        for sql in [
            format!("CREATE ROLE {ROLE} LOGIN"),
            format!("CREATE DATABASE {DATABASE} OWNER {ROLE}"),
        ] {
            primary.psql("postgres", &sql)?;
        }
        let standby = Postgres::standby(&primary, primary.address())?;
        primary.wait_for_standby()?;
        Ok(Self {
            servers: [primary, standby],
            primary: 0,
        })
    }

    /// Where the two listen, in an order that stays.
    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        [self.servers[0].address(), self.servers[1].address()]
    }

    /// The plain string by which a node that reaches the two through these finds the one that takes writes.
    pub(crate) fn url(through: &[Proxy]) -> String {
        let hosts: Vec<_> = through
            .iter()
            .map(|way| way.address().to_string())
            .collect();
        format!("postgres://{ROLE}@{}/{DATABASE}", hosts.join(","))
    }

    /// The string by which the checker reads the store.
    pub(crate) fn direct_url(&self) -> String {
        format!("postgres://{ROLE}@{}/{DATABASE}", self.primary().address())
    }

    /// Ends all processes of the primary at once, as a crash would.
    pub(crate) fn crash(&mut self) -> Result<()> {
        Ok(self.servers[self.primary].crash()?)
    }

    /// Starts the primary again; done when the standby follows.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.servers[self.primary].run()?;
        Ok(self.primary().wait_for_standby()?)
    }

    /// Makes the standby the primary; the old one must be gone.
    pub(crate) fn fail_over(&mut self) -> Result<()> {
        self.primary = 1 - self.primary;
        Ok(self.primary().promote()?)
    }

    /// Makes the old primary the standby of the new one.
    pub(crate) fn rebuild_standby(&mut self) -> Result<()> {
        let [one, other] = &mut self.servers;
        let (primary, standby) = match self.primary {
            0 => (one, other),
            _ => (other, one),
        };
        standby.follow(primary, primary.address())?;
        Ok(primary.wait_for_standby()?)
    }

    /// Lets the standby stand still, or go on: while it does, no commit is answered.
    pub(crate) fn stall_standby(&self, stalled: bool) -> Result<()> {
        let signal = if stalled { "STOP" } else { "CONT" };
        let standby = &self.servers[1 - self.primary];
        standby.receiver(signal).context("the standby's receiver")
    }

    /// Lets all nodes together have no more than so many connections, from now on.
    pub(crate) fn limit_connections(&self, most: Option<u32>) -> Result<()> {
        let most = most.map_or(-1, i64::from);
        let sql = format!("ALTER ROLE {ROLE} CONNECTION LIMIT {most}");
        self.primary().psql("postgres", &sql)?;
        if most >= 0 {
            let all = format!(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{ROLE}'"
            );
            self.primary().psql("postgres", &all)?;
        }
        Ok(())
    }

    fn primary(&self) -> &Postgres {
        &self.servers[self.primary]
    }
}

/// The wires of one node, one to each server.
pub(crate) async fn wires(to: [SocketAddr; 2]) -> Result<Vec<Proxy>> {
    let [one, other] = to;
    Ok(vec![Proxy::to(one).await?, Proxy::to(other).await?])
}

/// What a network does to a node for a while.
pub(crate) fn spoil(wires: &[Proxy], wire: Wire) {
    for one in wires {
        one.set(wire);
    }
}

/// How much later a slow network carries each piece.
pub(crate) const LATER: Duration = Duration::from_millis(60);
