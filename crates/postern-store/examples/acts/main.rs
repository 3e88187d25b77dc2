//! What an act of the store costs, through the real port: throughput, CPU, latencies and the longest
//! stall, under one way of carrying the write-ahead log over or another.
//!
//! ```sh
//! cargo run --release -p postern-store --example acts -- --acts redeem --every 25 --frames 10000
//! cargo run --release -p postern-store --example acts -- --rows 1000000
//! cargo run --release -p postern-store --example acts -- --experiment
//! ```

mod measure;
mod work;

use std::time::Duration;

use postern_store::{Checkpoints, Tuning};

use crate::work::{Bench, Kind};

/// What is asked for on the command line.
struct Ask {
    kinds: Vec<Kind>,
    callers: usize,
    seconds: u64,
    rows: usize,
    plans: Vec<Checkpoints>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let ask = Ask::parse(&std::env::args().skip(1).collect::<Vec<_>>());
    println!("{}", measure::HEADER);
    for plan in &ask.plans {
        let tuning = Tuning {
            queue: ask.callers.max(1024),
            checkpoints: *plan,
            ..Tuning::default()
        };
        let bench = Bench::open(tuning).await;
        bench.fill(ask.rows).await;
        for kind in &ask.kinds {
            let told = bench
                .run(*kind, ask.callers, Duration::from_secs(ask.seconds))
                .await;
            println!("{}", told.row(*kind, plan));
        }
        bench.close().await;
    }
}

impl Ask {
    fn parse(args: &[String]) -> Self {
        let value = |name: &str| {
            let at = args.iter().position(|arg| arg == name)?;
            args.get(at + 1).map(String::as_str)
        };
        let number = |name: &str, default: usize| {
            value(name).map_or(default, |text| text.parse().expect("a whole number"))
        };
        let every = match value("--every") {
            Some("none") => None,
            other => Some(other.map_or(25, |text| text.parse().expect("milliseconds"))),
        };
        let one = Checkpoints {
            every: every.map(Duration::from_millis),
            frames: u32::try_from(number("--frames", 10_000)).expect("frames"),
        };
        let kinds = value("--acts").map_or(Kind::ALL.to_vec(), |names| {
            names.split(',').map(Kind::parse).collect()
        });
        Self {
            kinds,
            callers: number("--callers", 64),
            seconds: u64::try_from(number("--seconds", 3)).expect("seconds"),
            rows: number("--rows", 0),
            plans: if args.iter().any(|arg| arg == "--experiment") {
                plans()
            } else {
                vec![one]
            },
        }
    }
}

/// The plans that the experiment compares.
fn plans() -> Vec<Checkpoints> {
    let cadences = [None, Some(25), Some(100)];
    let sizes = [1_000, 4_000, 10_000, 20_000, 40_000];
    cadences
        .into_iter()
        .flat_map(|every| {
            sizes.map(|frames| Checkpoints {
                every: every.map(Duration::from_millis),
                frames,
            })
        })
        .collect()
}
