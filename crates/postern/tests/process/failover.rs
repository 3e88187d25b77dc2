//! The first mail provider dies, or falls silent, in the middle of a load: every mail arrives all the
//! same, and how much later is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postern_testkit::process::{Plan, Server};
use postern_testkit::smtp::{Act, Received, SmtpServer};
use tokio::task::JoinSet;

use crate::caller::Caller;

/// Applications that call at the same time.
const CALLERS: usize = 8;
/// Mails of a run.
const MAILS: usize = 400;
/// How many of them the first provider takes before it goes.
const BEFORE: u64 = 100;

/// What becomes of the first provider.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Its port and its connections are closed.
    Dies,
    /// It says nothing any more.
    FallsSilent,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mail_is_lost_when_the_first_provider_dies_under_load() {
    fail_over(Fate::Dies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_mail_is_lost_when_the_first_provider_falls_silent_under_load() {
    fail_over(Fate::FallsSilent).await;
}

async fn fail_over(fate: Fate) {
    let server = Plan::new(env!("CARGO_BIN_EXE_postern")).start();
    let (first, second) = (
        provider(&server, "first").await,
        provider(&server, "second").await,
    );
    let caller = Arc::new(Caller::new(server.credentials()).await);
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (caller, next) = (Arc::clone(&caller), Arc::clone(&next));
        callers.spawn(async move { work(&caller, &next).await });
    }
    first.wait_for(BEFORE).await;
    match fate {
        Fate::Dies => first.die(),
        Fate::FallsSilent => first.by_whim(|_, _| Some(Act::Silence)),
    }
    let gone = now();
    let asked: HashMap<String, Instant> = callers.join_all().await.into_iter().flatten().collect();
    assert_eq!(asked.len(), MAILS);
    let arrived = arrivals(&first, &second, MAILS).await;
    for (to, mails) in &arrived {
        let ids: Vec<_> = mails.iter().map(message_id).collect();
        assert!(
            ids.iter().all(|id| *id == ids[0]),
            "{to} has several mails: {ids:?}"
        );
    }
    let took = |to: &str| first_of(&arrived[to]).duration_since(asked[to]);
    let (early, late): (Vec<_>, Vec<_>) =
        asked.keys().partition(|to| first_of(&arrived[*to]) < gone);
    let quantiles = |who: &[&String]| quantiles(who.iter().map(|to| took(to)).collect());
    eprintln!(
        "the first provider {fate:?}: {} mails arrived before, {}; {} after, {}; {} twice",
        early.len(),
        quantiles(&early),
        late.len(),
        quantiles(&late),
        arrived.values().filter(|mails| mails.len() > 1).count(),
    );
}

async fn provider(server: &Server, name: &str) -> SmtpServer {
    let smtp = SmtpServer::builder().start().await.unwrap();
    let port = smtp.addr().port().to_string();
    let added = server.admin(&[
        "mail",
        "provider",
        "add",
        name,
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--tls",
        "none",
        "--from",
        "login@example.com",
    ]);
    assert!(added.status.success(), "{added:?}");
    smtp
}

/// Sends to ever new addresses until there are enough; tells when each was asked for.
async fn work(caller: &Caller, next: &AtomicUsize) -> Vec<(String, Instant)> {
    let mut asked = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= MAILS {
            return asked;
        }
        let to = format!("person{number}@example.com");
        let began = now();
        let (status, answer) = caller.send(&to).await.expect("the server answers");
        assert_eq!(status, 200, "{answer}");
        asked.push((to, began));
    }
}

/// Waits until somebody has a mail for each of so many people, and gives them all.
async fn arrivals(
    first: &SmtpServer,
    second: &SmtpServer,
    people: usize,
) -> HashMap<String, Vec<Received>> {
    let mut counts = second.counts();
    let all = async {
        loop {
            counts.mark_unchanged();
            let arrived = by_recipient(first, second);
            if arrived.len() == people {
                return arrived;
            }
            counts.changed().await.expect("the second provider lives");
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(2), all).await;
    waited.unwrap_or_else(|_| {
        panic!(
            "only {} of {people} arrived",
            by_recipient(first, second).len()
        )
    })
}

fn by_recipient(first: &SmtpServer, second: &SmtpServer) -> HashMap<String, Vec<Received>> {
    let mut arrived: HashMap<String, Vec<Received>> = HashMap::new();
    for mail in first.received().into_iter().chain(second.received()) {
        arrived.entry(mail.to[0].clone()).or_default().push(mail);
    }
    arrived
}

fn first_of(mails: &[Received]) -> Instant {
    let first = mails.iter().map(|mail| mail.at).min();
    first.expect("who is in the map has a mail")
}

fn message_id(mail: &Received) -> String {
    let text = String::from_utf8_lossy(&mail.data);
    let line = text.lines().find(|line| line.starts_with("Message-ID:"));
    line.expect("every mail has one").to_owned()
}

fn quantiles(mut took: Vec<Duration>) -> String {
    took.sort();
    let at = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1)));
    let ms = |share| at(share).map_or(0, Duration::as_millis);
    format!(
        "p50 {} ms, p99 {} ms, longest {} ms",
        ms(50),
        ms(99),
        ms(100)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures how long mails are on their way; nothing is judged by it"
)]
fn now() -> Instant {
    Instant::now()
}
