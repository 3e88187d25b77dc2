//! Many connections that ask once and then say nothing: what they hold, and whether a newcomer is served.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use rustix::process::{Resource, getrlimit};
use serde::Serialize;

use crate::{http1, report::megabytes, server::Server, spawn::Home};

/// Descriptors of ours beside the connections.
const OTHERS: u64 = 64;

#[derive(Debug, Clone, Args)]
pub(crate) struct IdleArgs {
    /// The `postern` program, to start on temporary data.
    #[arg(long)]
    spawn: PathBuf,
    /// Connections to open, as far as the limit on open files lets us.
    #[arg(long, default_value_t = 100_000)]
    connections: u64,
    /// The server's own bound, `limits.connections`.
    #[arg(long, default_value_t = 10_000)]
    bound: u64,
    /// Prints JSON instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Told {
    opened: usize,
    bound: u64,
    /// Of those opened, how many the server has not sent away.
    kept: usize,
    resident_idle: u64,
    resident_held: u64,
    newcomer_status: u16,
}

/// Opens them, asks `/healthz` on each, looks at the memory, and comes once more.
pub(crate) async fn run(args: IdleArgs) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = args.connections.min(limit.saturating_sub(OTHERS));
    let home = Home::new(&args.spawn)?.with("POSTERN_LIMITS_CONNECTIONS", &args.bound.to_string());
    let server = Server::of(home.start(false).await?).await?;
    let resident_idle = server.process.resident()?;
    let mut held = Vec::new();
    for _ in 0..count {
        let mut connection = http1::Connection::open(server.address).await?;
        let answer = connection.call(&http1::HEALTH, b"").await?;
        ensure!(answer.status == 200, "HTTP {}", answer.status);
        held.push(connection);
    }
    let resident_held = server.process.resident()?;
    let mut newcomer = http1::Connection::open(server.address).await?;
    let newcomer = newcomer.call(&http1::HEALTH, b"").await?.status;
    let told = Told {
        opened: held.len(),
        bound: args.bound,
        kept: held.iter().filter(|one| one.is_open()).count(),
        resident_idle,
        resident_held,
        newcomer_status: newcomer,
    };
    told.print(args.json)
        .context("standard output cannot be written")
}

impl Told {
    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        println!(
            "{} connections opened at a server that keeps {}; {} are still open\n\
             resident: {:.1} MB before, {:.1} MB with them\na newcomer was answered {}",
            self.opened,
            self.bound,
            self.kept,
            megabytes(self.resident_idle),
            megabytes(self.resident_held),
            self.newcomer_status
        );
        Ok(())
    }
}
