//! Drives a Postern over loopback and tells what it costs: calls a second, latency, memory and
//! CPU time a call, beside the same for a bare echo of the same bodies on the same machine.

mod args;
mod bodies;
mod cold_start;
mod dashboard;
mod database;
mod door;
mod drive;
mod echo;
mod floor;
mod flow;
mod grpc;
mod http1;
mod idle;
mod inbox;
mod meter;
mod overload;
mod plan;
mod pooled;
mod prefill;
mod process;
mod report;
mod scale;
mod server;
mod smtp;
mod spawn;
mod stock;
mod targets;
mod watch;

use clap::Parser;

use args::{Args, Command};

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::EchoServer { workers } => echo::serve(workers),
        Command::PooledServer { workers, database } => pooled::serve(workers, &database),
        Command::CommitFloor { callers, seconds } => floor::commit::child(callers, seconds),
        Command::SmtpFloor {
            port,
            connections,
            seconds,
            bytes,
        } => smtp::bare::child(port, connections, seconds, bytes),
        Command::Outbox(args) if args.smtp => on_one_thread(smtp::run(args.run)),
        Command::Overload(args) => on_one_thread(overload::run(args)),
        Command::Idle(args) => on_one_thread(idle::run(args)),
        Command::ColdStart(args) => on_one_thread(cold_start::run(args)),
        Command::Scale(args) => {
            print!("{}", args.table());
            Ok(())
        }
        Command::Dashboard(args) => on_one_thread(dashboard::run(args)),
        command => on_one_thread(plan::run(command)),
    }
}

/// The load comes from one thread, so that it takes as little as possible from the server.
fn on_one_thread<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    tokio::task::LocalSet::new().block_on(&runtime, work)
}
