//! What the authentication log costs and how fast it answers:
//! `cargo run --release -p postern-store --features testing --example log -- 1000000`.
#![expect(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "spans are measured and told, and decide nothing"
)]

use std::time::{Duration, Instant};

use postern_core::model::{
    AuthRequestId, ClientId, Email, Event, EventKind, LogStatus, Method, Timestamp, UsedBy,
};
use postern_core::ports::{Clock as _, LogQuery};
use postern_store::testing::{TempStore, temp_store};

/// Events written in one act.
const PIECE: u64 = 500;
/// How often each query is asked.
const ASKED: usize = 50;

#[tokio::main]
async fn main() {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let count: u64 = count.unwrap_or(100_000);
    let store = temp_store().await;
    let begin = store.clock.now();
    let (mut taking, mut working) = (Duration::ZERO, 0.0);
    for first in (0..count).step_by(usize::try_from(PIECE).expect("500 fits")) {
        let numbers = first..(first + PIECE).min(count);
        for events in [
            numbers.clone().map(opened(begin)).collect(),
            numbers.map(ended(begin)).collect(),
        ] {
            store
                .engine
                .record(events)
                .await
                .expect("the store takes them");
            let (started, before) = (Instant::now(), cpu());
            store.project().await;
            taking += started.elapsed();
            working += cpu() - before;
        }
    }
    println!("{count} requests, each opened and in most cases verified");
    println!(
        "taking in: {:.1} us of CPU a request, {:.1} us in all",
        working * 1e6 / count as f64,
        taking.as_secs_f64() * 1e6 / count as f64
    );
    for (name, query) in queries(begin, count) {
        ask(&store, name, query).await;
    }
}

/// Seconds of CPU time that the process has used, to a hundredth.
fn cpu() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    let after = told.rsplit(") ").next().unwrap_or_default();
    let ticks = after.split(' ').skip(11).take(2);
    ticks
        .filter_map(|text| text.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

async fn ask(store: &TempStore, name: &str, query: LogQuery) {
    let mut spans = Vec::new();
    let mut total = 0;
    for _ in 0..ASKED {
        let started = Instant::now();
        total = store
            .engine
            .log(query.clone())
            .await
            .expect("the store answers")
            .total;
        spans.push(started.elapsed());
    }
    spans.sort();
    println!(
        "{name:<40} {:>6} found, half within {:>6.2} ms, all within {:>6.2} ms",
        total,
        spans[ASKED / 2].as_secs_f64() * 1e3,
        spans[ASKED - 1].as_secs_f64() * 1e3
    );
}

fn queries(begin: Timestamp, count: u64) -> Vec<(&'static str, LogQuery)> {
    let late = begin.plus(Duration::from_millis(count * 9 / 10));
    let of = |n: u64| Some(address(n).key());
    let one = |name, narrow: &dyn Fn(&mut LogQuery)| {
        let mut query = LogQuery {
            limit: 20,
            ..LogQuery::default()
        };
        narrow(&mut query);
        (name, query)
    };
    let status = |status| move |query: &mut LogQuery| query.statuses = vec![status];
    vec![
        one("newest", &|_| {}),
        one("one address, early", &|query| query.address = of(3)),
        one("one address, unknown", &|query| {
            query.address = of(u64::MAX);
        }),
        one("status that one in 1000 has", &status(LogStatus::Failed)),
        one("status that most have", &status(LogStatus::Success)),
        one("status that none has", &status(LogStatus::Pending)),
        one("a client that has none", &|query| {
            query.client = ClientId::parse("skc_9");
        }),
        one("the last tenth of the time", &|query| {
            query.from = Some(late);
        }),
        one("a rare status in the last tenth", &|query| {
            query.from = Some(late);
            query.statuses = vec![LogStatus::Failed];
        }),
    ]
}

fn address(n: u64) -> Email {
    Email::parse(&format!("person{n}@example.com")).expect("it is well formed")
}

fn event(begin: Timestamp, n: u64, after: Duration, what: EventKind) -> Event {
    let at = begin.plus(Duration::from_millis(n));
    let mut random = [0; AuthRequestId::RANDOM];
    random[2..].copy_from_slice(&n.to_be_bytes());
    Event {
        at: at.plus(after),
        request: Some(AuthRequestId::new(at, random)),
        client: ClientId::parse("skc_00000000000000000001"),
        address: address(n).key(),
        what,
    }
}

fn opened(begin: Timestamp) -> impl Fn(u64) -> Event {
    move |n| {
        let email = address(n).as_given().to_owned();
        let what = EventKind::Initiated {
            email,
            method: Method::Otp,
            template: None,
            hardened: false,
            expires_in: 300,
        };
        event(begin, n, Duration::ZERO, what)
    }
}

fn ended(begin: Timestamp) -> impl Fn(u64) -> Event {
    move |n| {
        let what = if n.is_multiple_of(1000) {
            EventKind::Locked
        } else {
            EventKind::Verified { by: UsedBy::Code }
        };
        event(begin, n, Duration::from_secs(9), what)
    }
}
