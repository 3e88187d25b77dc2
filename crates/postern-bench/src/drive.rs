//! Drives connections in a closed loop: each makes its next call when the last is answered.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::HeaderValue;
use tokio::task::JoinSet;

use crate::{
    bodies::{self, Verb},
    door::{Connection, Door, Encoding},
    meter::{Meter, Round},
    server::Server,
    watch,
};

/// Not measured at the start of a timed round: connections open and caches fill.
const WARM_UP: Duration = Duration::from_millis(500);

/// When a round ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this long.
    Elapsed(Duration),
    /// When this many calls are answered, or the stock is used up.
    Count(u64),
}

/// The calls to make, taken one by one by whoever is free.
pub(crate) struct Work {
    pub(crate) verb: Verb,
    stock: Stock,
    taken: Cell<u64>,
    kept: Option<RefCell<Vec<(u64, Bytes)>>>,
}

enum Stock {
    /// Sends to addresses never used before.
    Addresses { encoding: Encoding, run: String },
    /// One body a call.
    Bodies(Vec<Vec<u8>>),
    /// The same body each time.
    Same(Vec<u8>),
}

impl Work {
    /// Sends to addresses of a new run, the n-th of which is [`address`] of n.
    pub(crate) fn sends(encoding: Encoding, run: &str) -> Self {
        let run = run.to_owned();
        Self::new(Verb::Send, Stock::Addresses { encoding, run })
    }

    pub(crate) fn bodies(verb: Verb, bodies: Vec<Vec<u8>>) -> Self {
        Self::new(verb, Stock::Bodies(bodies))
    }

    pub(crate) fn same(verb: Verb, body: Vec<u8>) -> Self {
        Self::new(verb, Stock::Same(body))
    }

    fn new(verb: Verb, stock: Stock) -> Self {
        Self {
            verb,
            stock,
            taken: Cell::new(0),
            kept: None,
        }
    }

    /// Keeps the answers, each with the number of its call.
    pub(crate) fn keeping(mut self) -> Self {
        self.kept = Some(RefCell::default());
        self
    }

    pub(crate) fn kept(&self) -> Vec<(u64, Bytes)> {
        self.kept.as_ref().map(RefCell::take).unwrap_or_default()
    }

    fn next(&self, until: Until) -> Option<(u64, Vec<u8>)> {
        let number = self.taken.get();
        if matches!(until, Until::Count(count) if number >= count) {
            return None;
        }
        let body = match &self.stock {
            Stock::Addresses { encoding, run } => bodies::send(*encoding, address(run, number)),
            Stock::Bodies(bodies) => bodies.get(usize::try_from(number).ok()?)?.clone(),
            Stock::Same(body) => body.clone(),
        };
        self.taken.set(number + 1);
        Some((number, body))
    }
}

/// The n-th address of a run.
pub(crate) fn address(run: &str, number: u64) -> String {
    format!("b{number}.{run}@bench.example.com")
}

/// What the connections of a round share.
struct Shared {
    work: Rc<Work>,
    until: Until,
    authorization: HeaderValue,
    meter: RefCell<Meter>,
    measuring: Cell<bool>,
    stopping: Cell<bool>,
}

/// One round of `work` against `server`.
pub(crate) async fn round(
    server: &Server,
    door: Door,
    connections: usize,
    work: &Rc<Work>,
    until: Until,
) -> anyhow::Result<Round> {
    let shared = Rc::new(Shared {
        work: Rc::clone(work),
        until,
        authorization: server.authorization_for(work.verb),
        meter: RefCell::new(Meter::new()),
        measuring: Cell::new(matches!(until, Until::Count(_))),
        stopping: Cell::new(false),
    });
    let mut opened = Vec::with_capacity(connections);
    for _ in 0..connections {
        opened.push(door.open(server.address).await?);
    }
    let (mut began, mut used_before) = (watch::now(), server.usage()?);
    let mut callers = JoinSet::new();
    for connection in opened {
        callers.spawn_local(caller(connection, Rc::clone(&shared)));
    }
    if let Until::Elapsed(span) = until {
        tokio::time::sleep(WARM_UP).await;
        (began, used_before) = (watch::now(), server.usage()?);
        shared.measuring.set(true);
        tokio::time::sleep(span).await;
        shared.stopping.set(true);
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    let (took, used) = (began.elapsed(), server.usage()? - used_before);
    let meter = shared.meter.replace(Meter::new());
    Ok(Round { meter, took, used })
}

async fn caller(mut connection: Connection, shared: Rc<Shared>) -> anyhow::Result<()> {
    let verb = shared.work.verb;
    while !shared.stopping.get() {
        let Some((number, body)) = shared.work.next(shared.until) else {
            break;
        };
        let measured = shared.measuring.get();
        let asked: Instant = watch::now();
        let outcome = connection.call(verb, &shared.authorization, &body).await?;
        let latency = asked.elapsed();
        if let (Some(kept), Ok(answer)) = (&shared.work.kept, &outcome) {
            kept.borrow_mut().push((number, answer.clone()));
        }
        if measured {
            shared.meter.borrow_mut().record(latency, outcome.err());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{echo, process::Process};

    /// Calls through that door that the echo did not refuse.
    async fn answered(door: Door, verb: Verb, body: Vec<u8>) -> u64 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async { axum::serve(listener, echo::router()).await });
        let server = Server::echo(address, Process(std::process::id()), None);
        let work = Rc::new(Work::same(verb, body));
        let round = round(&server, door, 4, &work, Until::Count(100))
            .await
            .unwrap();
        serving.abort();
        assert_eq!(round.meter.errors().len(), 0);
        round.meter.calls()
    }

    #[tokio::test(flavor = "local")]
    async fn a_counted_round_makes_that_many_calls_through_either_door() {
        for door in [Door::Rest, Door::Grpc] {
            let send = bodies::send(door.encoding(), address("run", 1));
            assert_eq!(answered(door, Verb::Send, send).await, 100);
            let verify = bodies::verify(door.encoding(), "id", "123456");
            assert_eq!(answered(door, Verb::Verify, verify).await, 100);
        }
    }

    #[test]
    fn every_call_of_a_run_sends_to_another_address() {
        let work = Work::sends(Encoding::Json, "run");
        let (first, second) = (work.next(Until::Count(2)), work.next(Until::Count(2)));
        assert_ne!(first.unwrap().1, second.unwrap().1);
        assert!(work.next(Until::Count(2)).is_none());
    }
}
