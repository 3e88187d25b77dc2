//! `cargo xtask torture`: real processes under load, broken by a seeded schedule, and a checker that
//! reads what clients saw, what the store holds and what was mailed.

mod application;
mod broken;
mod check;
mod history;
mod kept;
mod node;
mod people;
mod power;
mod random;
mod report;
mod run;
mod schedule;
mod serve;
mod world;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, ValueEnum as _};

use crate::broken::Breakage;
use crate::check::Promise;
use crate::node::Programs;
use crate::run::Plan;
use crate::world::Engine;

/// Breaks running servers and checks what they promised.
#[derive(Parser)]
enum Cli {
    /// Breaks things under load.
    Run(Arguments),
    /// Cuts the power under the embedded store.
    Power(What),
    /// Is a server that keeps a promise less.
    #[command(hide = true)]
    Serve(serve::Options),
}

#[derive(Args)]
struct What {
    /// The `postern` to run.
    #[arg(long)]
    binary: PathBuf,
    /// What is broken, and when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What to torture, and for how long.
#[derive(Args)]
struct Arguments {
    #[command(flatten)]
    what: What,
    /// Which store.
    #[arg(long, default_value = "postgres")]
    engine: Engine,
    /// How long things are broken; the rest takes a minute more.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// File systems may be mounted: this process has a mount namespace of its own.
    #[arg(long)]
    mounts: bool,
    /// Break nothing; instead the store of the nodes breaks this promise, which must be noticed.
    #[arg(long)]
    breaks: Option<Breakage>,
    /// Break nothing.
    #[arg(long)]
    in_peace: bool,
}

fn main() -> ExitCode {
    // Under this name it is the command line of the server, for tests that have no other.
    let name = std::env::args_os().next().map(PathBuf::from);
    if name.is_some_and(|name| name.ends_with("postern")) {
        return postern::cli::main();
    }
    match play(Cli::parse()) {
        Ok(promises) => report::tell(&promises),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn play(cli: Cli) -> Result<Vec<Promise>> {
    let myself = std::env::current_exe()?;
    match cli {
        Cli::Serve(options) => serve::serve(&options).map(|()| Vec::new()),
        Cli::Power(what) => wait(power::cuts(&what.binary, &myself, what.seed)),
        Cli::Run(arguments) => {
            let plan = plan(&arguments, &myself);
            let evidence = wait(run::run(&plan))?;
            report::summary(&plan, &evidence);
            Ok(check::check(&evidence))
        }
    }
}

fn plan(arguments: &Arguments, myself: &Path) -> Plan {
    let postern = arguments.what.binary.clone();
    let serve = match arguments
        .breaks
        .and_then(|breaks| breaks.to_possible_value())
    {
        Some(breaks) => vec![
            myself.display().to_string(),
            "serve".to_owned(),
            format!("--breaks={}", breaks.get_name()),
        ],
        None => vec![postern.display().to_string(), "serve".to_owned()],
    };
    Plan {
        programs: Programs { postern, serve },
        engine: arguments.engine,
        minutes: arguments.minutes,
        seed: arguments.what.seed,
        mounts: arguments.mounts,
        faults: !arguments.in_peace && arguments.breaks.is_none(),
        expiry: arguments.breaks == Some(Breakage::AcceptExpired),
    }
}

fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(work)
}
