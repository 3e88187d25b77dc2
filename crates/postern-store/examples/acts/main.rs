//! What an act of the store costs, through the real port: throughput, CPU, latencies and the longest
//! stall, under one way of carrying the write-ahead log over or another; on PostgreSQL, with acts that
//! are committed together or each by itself; and beside backups that are being taken. Of a file `log MiB` is how
//! large its write-ahead log is in the end, of a PostgreSQL how much of it was written.
//!
//! ```sh
//! A="cargo run --release -p postern-store --features testing --example acts --"
//! $A --acts redeem --every 25 --frames 10000
//! $A --rows 1000000
//! $A --experiment
//! $A --engine postgres --acts send,redeem --writers 2,16 --group 1,256 --rounds 3
//! $A --engine postgres --rows 200000 --acts send,settle,redeem --callers 256
//! $A --acts send,redeem --rows 300000 --seconds 10 --rounds 3 --backup
//! ```

mod ask;
mod measure;
mod place;
mod work;

use crate::ask::Ask;
use crate::measure::Told;
use crate::work::Bench;

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let ask = Ask::parse(&std::env::args().skip(1).collect::<Vec<_>>());
    println!("{}", measure::HEADER);
    for _ in 0..ask.rounds {
        for plan in &ask.plans {
            let bench = Bench::open(plan.tuning, ask.postgres).await;
            let empty = bench.bytes();
            bench.fill(ask.rows).await;
            if let Some(each) = (bench.bytes() - empty).checked_div(ask.rows as u64) {
                println!("{} requests: {each} bytes each, their log apart", ask.rows);
            }
            for kind in &ask.kinds {
                let alone = bench.run(*kind, &ask).await;
                println!("{}", alone.row(kind.name(), &plan.name));
                if ask.backup {
                    let beside = bench.run(*kind, &ask);
                    let (beside, backups) = bench.backed_up(beside).await;
                    println!("{}", beside.row(kind.name(), "beside backups"));
                    println!("{}", compared(&alone, &beside, backups));
                }
            }
            bench.close().await;
        }
    }
}

fn compared(alone: &Told, beside: &Told, backups: usize) -> String {
    format!(
        "        {backups} backups: {:.2} of the acts a second, {:.2} times the p99",
        beside.rate() / alone.rate(),
        beside.at(990) / alone.at(990),
    )
}
