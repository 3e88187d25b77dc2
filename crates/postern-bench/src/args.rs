//! The command line.

use std::{path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{door::Door, drive::Until, idle::IdleArgs, overload::OverloadArgs, scale::ScaleArgs};

/// Drives a Postern on this machine and tells what it costs.
///
/// Only loopback addresses are driven.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  postern-bench all --spawn target/release/postern --floor
  postern-bench all --spawn target/release/postern --floor --engine postgres
  postern-bench verify --door rest,grpc --spawn target/release/postern --floor --count 20000
  postern-bench send --env-file postern-data/dev.env --seconds 10
  postern-bench outbox --smtp --floor --spawn target/release/postern
  postern-bench cold-start --spawn target/release/postern
  postern-bench dashboard --spawn target/release/postern --requests 1000000
  postern-bench overload --spawn target/testing/release/postern
  postern-bench scale --peak 5000 --database 60";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends to ever new addresses. A spawned server has its outbox paused.
    Send(RunArgs),
    /// Resends requests made beforehand.
    Resend(RunArgs),
    /// Verifies requests made beforehand by the codes read from the development inbox.
    Verify(RunArgs),
    /// Whole sign-ins: send, wait for the mail, verify.
    Flow(RunArgs),
    /// Access tokens by client credentials.
    Token(RunArgs),
    /// Sends, and the time until the last mail is in the development inbox; or the way to an SMTP server.
    Outbox(OutboxArgs),
    /// Everything above, and the table of targets.
    All(RunArgs),
    /// Sends at fixed moments, more than a slow store can take: who is accepted, who is refused, how
    /// soon, and whether anything accepted is lost.
    Overload(OverloadArgs),
    /// Connections that say nothing after one request: what they hold, and whether others are served.
    Idle(IdleArgs),
    /// How soon a server answers on existing data, how much it holds idle, how big its file is.
    ColdStart(ColdStartArgs),
    /// How fast the pages of the dashboard answer, on a store with many requests.
    Dashboard(DashboardArgs),
    /// How many nodes, connections and database cores carry a load, by what calls cost (docs/scaling.md).
    Scale(ScaleArgs),
    /// The bare echo that the server is compared with.
    #[command(hide = true)]
    EchoServer {
        /// Threads that serve.
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
    /// The bare SMTP crate that the outbox is compared with.
    #[command(hide = true)]
    SmtpFloor {
        /// Port of the sink, on this machine.
        #[arg(long)]
        port: u16,
        /// Connections, each with one mail at a time.
        #[arg(long)]
        connections: usize,
        /// For how long.
        #[arg(long)]
        seconds: f64,
        /// Size of a message.
        #[arg(long)]
        bytes: usize,
    },
    /// The echo with one statement a request, through a pool, that the server is compared with.
    #[command(hide = true)]
    PooledServer {
        /// Threads that serve.
        #[arg(long, default_value_t = 1)]
        workers: usize,
        /// The PostgreSQL that the statements go to.
        #[arg(long)]
        database: String,
    },
    /// The bare group commit that the server is compared with.
    #[command(hide = true)]
    CommitFloor {
        /// Callers that wait for a commit at any time.
        #[arg(long)]
        callers: usize,
        /// For how long.
        #[arg(long)]
        seconds: f64,
    },
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Ways in, separated by commas.
    #[arg(long, value_delimiter = ',', default_values = ["rest"])]
    pub(crate) door: Vec<Door>,
    /// Kept connections, each with one call at a time.
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Length of a round, after half a second that is not measured. [default: 3]
    #[arg(long)]
    pub(crate) seconds: Option<f64>,
    /// Calls of a round of `resend`, `verify`, `flow` and `outbox`, whose stock is made before each
    /// round [default: 20000], and of others where no length is given.
    #[arg(long)]
    pub(crate) count: Option<u64>,
    /// Rounds, of which the medians are told.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Also measures the bare echo, RS256 signing and group commit, in turn with each round.
    #[arg(long)]
    pub(crate) floor: bool,
    /// Threads of the echo. [default: as many as the server has beside the embedded store's writer]
    #[arg(long)]
    pub(crate) echo_workers: Option<usize>,
    /// Puts this many live requests into the store of a spawned server first.
    #[arg(long, default_value_t = 0, requires = "spawn")]
    pub(crate) prefill: u64,
    /// What a spawned server keeps its state in: its own file, or a PostgreSQL that is made for the run
    /// (Debian's package `postgresql`), whose processes' CPU time counts as the server's.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite, requires_if("postgres", "spawn"))]
    pub(crate) engine: Engine,
    /// Prints JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a server keeps its state in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// A file of its own.
    Sqlite,
    /// A database server beside it.
    Postgres,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct OutboxArgs {
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Measures mails a second into a local SMTP sink at 1 and at 8 connections, and the time from a
    /// send to its accepted DATA on an idle server; with --floor beside the bare SMTP crate and the
    /// bare commit.
    #[arg(long, requires = "spawn")]
    pub(crate) smtp: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ColdStartArgs {
    /// The `postern` program.
    #[arg(long)]
    pub(crate) spawn: PathBuf,
    /// Starts, of which the median is told.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Prints JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct DashboardArgs {
    /// The `postern` program.
    #[arg(long)]
    pub(crate) spawn: PathBuf,
    /// What holds its store; `postgres` makes one for the run.
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    pub(crate) engine: Engine,
    /// Requests that are put into its store first.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) requests: u64,
    /// Days over which they are spread, evenly; none puts them all into now.
    #[arg(long, default_value_t = 0)]
    pub(crate) days: u32,
    /// Calls of each page.
    #[arg(long, default_value_t = 200)]
    pub(crate) count: u64,
}

#[derive(Debug, Clone, ClapArgs)]
#[group(required = true, multiple = true)]
pub(crate) struct TargetArgs {
    /// A `postern` program to start on temporary data, with its quotas raised.
    #[arg(long, conflicts_with_all = ["env_file", "url"])]
    pub(crate) spawn: Option<PathBuf>,
    /// The `dev.env` of a running `postern dev`.
    #[arg(long, conflicts_with = "url")]
    pub(crate) env_file: Option<PathBuf>,
    /// A running server's URL, `http://127.0.0.1:PORT`.
    #[arg(long, requires = "client_id", requires = "client_secret")]
    pub(crate) url: Option<String>,
    /// Its client.
    #[arg(long)]
    pub(crate) client_id: Option<String>,
    /// That client's secret.
    #[arg(long, env = "SCALEKIT_CLIENT_SECRET", hide_env_values = true)]
    pub(crate) client_secret: Option<String>,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

impl RunArgs {
    /// When a round ends that needs no stock.
    pub(crate) fn until(&self) -> Until {
        match (self.seconds, self.count) {
            (None, Some(count)) => Until::Count(count),
            _ => Until::Elapsed(self.span()),
        }
    }

    /// How many calls a round has that needs stock made beforehand.
    pub(crate) fn stock(&self) -> u64 {
        const STOCK: u64 = 20_000;
        self.count.unwrap_or(STOCK)
    }

    /// How long a round is that needs none.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(3.0))
    }
}
