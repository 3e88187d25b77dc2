//! A log with many requests, of which each 1000th failed, written into a stopped server's store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{
    AuthRequestId, ClientId, Email, Event, EventKind, Method, NodeId, Timestamp, UsedBy,
};
use postern_core::ports::Clock;
use postern_store::{DataDir, Tuning, connect};

/// How many there are.
pub(crate) const MANY: u64 = 100_000;

/// Events written in one act.
const PIECE: u64 = 1000;

/// Two days ago: far enough that none of them is of the last hour.
#[derive(Clone, Copy)]
struct Then(Timestamp);

impl Clock for Then {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Writes the events of `count` requests; the server takes them into its log when it starts.
pub(crate) async fn fill(data: &Path, count: u64) {
    let held = DataDir::open(data).unwrap();
    let then = Then(two_days_ago());
    let node = NodeId([7; 8]);
    let store = connect(&held.store_url(), node, Arc::new(then), Tuning::default()).await;
    let store = store.unwrap();
    for first in (0..count).step_by(usize::try_from(PIECE).unwrap()) {
        let numbers = first..(first + PIECE).min(count);
        let opened = numbers.clone().map(|n| opened(then.0, n));
        store.record(opened.collect()).await.unwrap();
        let ended = numbers.map(|n| ended(then.0, n));
        store.record(ended.collect()).await.unwrap();
    }
    store.close().await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server has the system's clock"
)]
fn two_days_ago() -> Timestamp {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_secs()).unwrap();
    Timestamp::from_unix_seconds(now).minus(Duration::from_hours(48))
}

fn event(begin: Timestamp, n: u64, after: Duration, what: EventKind) -> Event {
    let at = begin.plus(Duration::from_millis(n));
    let mut random = [0; AuthRequestId::RANDOM];
    random[2..].copy_from_slice(&n.to_be_bytes());
    Event {
        at: at.plus(after),
        request: Some(AuthRequestId::new(at, random)),
        client: ClientId::parse("skc_00000000000000000001"),
        address: person(n).key(),
        what,
    }
}

fn person(n: u64) -> Email {
    Email::parse(&format!("person{n}@example.com")).unwrap()
}

fn opened(begin: Timestamp, n: u64) -> Event {
    let what = EventKind::Initiated {
        email: person(n).as_given().to_owned(),
        method: Method::Otp,
        template: None,
        hardened: false,
        expires_in: 300,
    };
    event(begin, n, Duration::ZERO, what)
}

fn ended(begin: Timestamp, n: u64) -> Event {
    let what = if n % 1000 == 999 {
        EventKind::Locked
    } else {
        EventKind::Verified { by: UsedBy::Code }
    };
    event(begin, n, Duration::from_secs(9), what)
}
