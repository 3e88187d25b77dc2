//! More sends than a slow store can take, at moments that do not wait for the answers.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::Args;
use http::HeaderValue;
use serde::Serialize;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    args::Engine,
    bodies::{self, Verb},
    database::Database,
    door::{Connection, Door, Outcome},
    drive,
    inbox::Inbox,
    meter::Meter,
    report::megabytes,
    server::Server,
    spawn::Home,
    watch,
};

/// A refused call may be tried again; anything else was promised to nobody.
const REFUSALS: [&str; 2] = ["UNAVAILABLE", "RATE_LIMITED"];
/// What the targets are.
const ACCEPTED_MS: f64 = 250.0;
const REFUSED_MS: f64 = 50.0;
/// In bytes: what a server may hold under load, and as much again.
const RESIDENT: u64 = 128 << 20;

#[derive(Debug, Clone, Args)]
pub(crate) struct OverloadArgs {
    /// A `postern` program built with `--features testing`, to start on temporary data.
    #[arg(long)]
    spawn: PathBuf,
    /// What it keeps its state in: its own file, or a PostgreSQL that is made for the run.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    engine: Engine,
    /// By how many microseconds each act of its store is slowed.
    #[arg(long, default_value_t = 1000)]
    slow_us: u64,
    /// Sends offered a second.
    #[arg(long, default_value_t = 10_000)]
    offered: u32,
    /// For how long.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Connections at most; a send that finds none free waits, and its wait is measured.
    #[arg(long, default_value_t = 1024)]
    connections: usize,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// What became of an overload.
#[derive(Debug, Serialize)]
struct Told {
    offered_per_second: u32,
    seconds: u32,
    accepted: Quantiles,
    refused: Quantiles,
    refusals: BTreeMap<String, u64>,
    /// Answers that are neither.
    unexpected: BTreeMap<String, u64>,
    /// Accepted sends whose mail never came, though the server was killed and started again.
    lost: usize,
    resident_idle: u64,
    resident_peak: u64,
}

#[derive(Debug, Serialize)]
struct Quantiles {
    calls: u64,
    p50_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
}

/// Offers the load, kills the server, starts it again at full speed and looks for every mail.
pub(crate) async fn run(args: OverloadArgs) -> anyhow::Result<()> {
    let database = Database::of(args.engine)?;
    let mut home = Home::new(&args.spawn)?;
    if let Some(database) = &database {
        home = home.with("POSTERN_DATA_DATABASE_URL", database.url());
    }
    let slow = args.slow_us.to_string();
    let slow = home.clone().with("FAULT_SLOW_STORE_US", &slow);
    let mut server = Server::of(slow.start(false).await?).await?;
    let resident_idle = server.process.resident()?;
    let load = Rc::new(Load::of(&server, &args));
    offer(&load).await?;
    let resident_peak = server.process.peak_resident()?;
    let spawned = server.spawned.take().context("it was spawned")?;
    spawned.stop().await?;
    let again = Server::of(home.start(false).await?).await?;
    let seen = load.seen.take();
    let told = Told {
        offered_per_second: args.offered,
        seconds: args.seconds,
        accepted: Quantiles::of(&seen.accepted),
        refused: Quantiles::of(&seen.refused),
        refusals: seen.refused.errors().clone(),
        unexpected: seen.unexpected.errors().clone(),
        lost: lost(&again, seen.sent).await?,
        resident_idle,
        resident_peak,
    };
    told.print(args.json)
}

struct Load {
    address: std::net::SocketAddr,
    authorization: HeaderValue,
    run: String,
    each: Duration,
    count: u32,
    free: RefCell<Vec<Connection>>,
    room: Semaphore,
    seen: RefCell<Seen>,
}

struct Seen {
    accepted: Meter,
    refused: Meter,
    unexpected: Meter,
    sent: HashSet<String>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            accepted: Meter::new(),
            refused: Meter::new(),
            unexpected: Meter::new(),
            sent: HashSet::new(),
        }
    }
}

impl Load {
    fn of(server: &Server, args: &OverloadArgs) -> Self {
        Self {
            address: server.address,
            authorization: server.authorization_for(Verb::Send),
            run: watch::run_tag(),
            each: Duration::from_secs(1) / args.offered.max(1),
            count: args.offered * args.seconds,
            free: RefCell::default(),
            room: Semaphore::new(args.connections),
            seen: RefCell::default(),
        }
    }

    /// One send, measured from the moment at which it was due.
    async fn send(&self, number: u32, due: Instant) -> anyhow::Result<()> {
        let _place = self.room.acquire().await?;
        let free = self.free.borrow_mut().pop();
        let mut connection = match free {
            Some(connection) => connection,
            None => Door::Rest.open(self.address).await?,
        };
        let address = drive::address(&self.run, number.into());
        let body = bodies::send(Door::Rest.encoding(), address.clone());
        let outcome = connection
            .call(Verb::Send, &self.authorization, &body)
            .await?;
        self.free.borrow_mut().push(connection);
        self.seen.borrow_mut().note(address, outcome, due.elapsed());
        Ok(())
    }
}

impl Seen {
    fn note(&mut self, address: String, outcome: Outcome, latency: Duration) {
        match outcome {
            Ok(_) => {
                self.accepted.record(latency, None);
                self.sent.insert(address);
            }
            Err(code) if REFUSALS.contains(&code.as_str()) => {
                self.refused.record(latency, Some(code));
            }
            Err(code) => self.unexpected.record(latency, Some(code)),
        }
    }
}

/// Makes every send when it is due, whatever became of those before.
async fn offer(load: &Rc<Load>) -> anyhow::Result<()> {
    let began = watch::now();
    let mut sending = JoinSet::new();
    for number in 0..load.count {
        let due = began + load.each * number;
        let early = due.saturating_duration_since(watch::now());
        // The timer knows no less than a millisecond.
        if early >= Duration::from_millis(1) {
            tokio::time::sleep(early).await;
        }
        let load = Rc::clone(load);
        sending.spawn_local(async move { load.send(number, due).await });
        while let Some(done) = sending.try_join_next() {
            done??;
        }
    }
    while let Some(done) = sending.join_next().await {
        done??;
    }
    Ok(())
}

/// How many of the addresses get no mail.
async fn lost(server: &Server, mut sent: HashSet<String>) -> anyhow::Result<usize> {
    // Longer than the killed server's leases, which other nodes of a shared database respect.
    const PATIENCE_SECONDS: u8 = 60;
    let mut inbox = Inbox::open(server.address).await?;
    while !sent.is_empty() {
        let mails = inbox.page(PATIENCE_SECONDS).await?;
        if mails.is_empty() {
            break;
        }
        for mail in mails {
            sent.remove(&mail.to);
        }
    }
    Ok(sent.len())
}

impl Quantiles {
    fn of(meter: &Meter) -> Self {
        Self {
            calls: meter.calls(),
            p50_ms: meter.quantile_ms(0.5),
            p99_ms: meter.quantile_ms(0.99),
            longest_ms: meter.longest_ms(),
        }
    }
}

impl Told {
    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
        } else {
            self.table();
        }
        ensure!(
            self.accepted.p99_ms <= ACCEPTED_MS && self.refused.p99_ms <= REFUSED_MS,
            "missed: accepted within {ACCEPTED_MS} ms and refused within {REFUSED_MS} ms at p99"
        );
        ensure!(self.lost == 0, "accepted sends were lost");
        ensure!(self.resident_peak <= RESIDENT, "memory is not bounded");
        ensure!(self.unexpected.is_empty(), "answers that nobody promised");
        Ok(())
    }

    fn table(&self) {
        println!(
            "{} sends a second offered for {} s\n\n{:<10} {:>9} {:>9} {:>9} {:>9}",
            self.offered_per_second, self.seconds, "", "calls", "p50 ms", "p99 ms", "max ms"
        );
        for (name, row) in [("accepted", &self.accepted), ("refused", &self.refused)] {
            println!(
                "{name:<10} {:>9} {:>9.1} {:>9.1} {:>9.1}",
                row.calls, row.p50_ms, row.p99_ms, row.longest_ms
            );
        }
        for (code, count) in self.refusals.iter().chain(&self.unexpected) {
            println!("  {count} calls: {code}");
        }
        println!(
            "lost: {}\nresident: {:.1} MB idle, {:.1} MB at most",
            self.lost,
            megabytes(self.resident_idle),
            megabytes(self.resident_peak)
        );
    }
}
