//! Whom no mail is sent to.

use std::time::Duration;

use postern_core::model::{
    AuthRequestId, DeliveryId, DeliveryState, Fate, Feedback, HookProvider, Suppression,
    SuppressionReason,
};
use postern_core::ports::{Clock as _, Keep};
use postern_core::rules;
use postern_core::settings::Settings;

use super::{address, issue, opening, send};
use crate::testing::TempStore;

const WEEK: Duration = Duration::from_hours(7 * 24);

fn entry(store: &TempStore, name: &str, lasts: Option<Duration>) -> Suppression {
    let now = store.clock.now();
    Suppression {
        address: address(name),
        reason: SuppressionReason::Bounced,
        detail: "rcpt: 550 5.1.1 no such user".to_owned(),
        at: now,
        until: lasts.map(|lasts| now.plus(lasts)),
    }
}

async fn suppress(store: &TempStore, name: &str, lasts: Option<Duration>) -> Suppression {
    let entry = entry(store, name, lasts);
    store.engine.suppress(entry.clone()).await.unwrap();
    entry
}

async fn sent(store: &TempStore, n: u16, name: &str) -> &'static str {
    let opening = opening(issue(store, n, &address(name)), Settings::default(), None);
    let decision = store.engine.open_auth_request(opening).await.unwrap();
    decision
        .outcome
        .map_or_else(|error| error.code(), |()| "OK")
}

async fn sweep(store: &TempStore) {
    let keep = Keep {
        requests_from: store.clock.now().minus(2 * WEEK),
        events_from: store.clock.now().minus(2 * WEEK),
    };
    while store.engine.sweep(keep).await.unwrap().more {}
}

/// The act that opens a request sees the list as it is then, also right after it was empty.
pub async fn a_send_sees_the_list_as_it_is_then(store: TempStore) {
    assert_eq!(sent(&store, 1, "ada").await, "OK");
    suppress(&store, "ada", None).await;
    assert_eq!(sent(&store, 2, "ada").await, "ADDRESS_SUPPRESSED");
    assert_eq!(sent(&store, 3, "bob").await, "OK");
    assert!(store.engine.unsuppress(address("ada").key()).await.unwrap());
    assert!(!store.engine.unsuppress(address("ada").key()).await.unwrap());
    assert_eq!(sent(&store, 4, "ada").await, "OK");
}

/// What is on the list outlives the process.
pub async fn the_list_is_there_after_a_restart(mut store: TempStore) {
    let entry = suppress(&store, "ada", Some(WEEK)).await;
    store.reopen().await;
    assert_eq!(sent(&store, 1, "ada").await, "ADDRESS_SUPPRESSED");
    let found = store.engine.find_suppression(entry.address.key()).await;
    assert_eq!(found.unwrap(), Some(entry));
}

/// The newest entry comes first, and pages meet without a gap.
pub async fn the_list_is_read_page_by_page_newest_first(store: TempStore) {
    let mut all = Vec::new();
    for n in 0..5 {
        if n % 2 == 0 {
            store.clock.advance(Duration::from_secs(1));
        }
        all.push(suppress(&store, &format!("a{n}"), None).await);
    }
    all.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.address.key())));
    let mut read: Vec<Suppression> = Vec::new();
    loop {
        let place = read.last().map(|last| (last.at, last.address.key()));
        let page = store
            .engine
            .suppressions(store.clock.now(), place, 2)
            .await
            .unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read, all);
}

/// An address is listed once: what is said last counts.
pub async fn listing_an_address_again_replaces_what_was_said(store: TempStore) {
    suppress(&store, "ada", Some(WEEK)).await;
    store.clock.advance(Duration::from_hours(1));
    let again = suppress(&store, "ada", None).await;
    assert_eq!(
        store
            .engine
            .suppressions(store.clock.now(), None, 10)
            .await
            .unwrap(),
        [again]
    );
}

/// An entry ends by itself, and its row goes with the next sweep.
pub async fn an_entry_that_is_over_lets_mail_through_and_is_swept(store: TempStore) {
    suppress(&store, "ada", Some(WEEK)).await;
    suppress(&store, "bob", None).await;
    let last = WEEK.saturating_sub(Duration::from_micros(1));
    store.clock.advance(last);
    assert_eq!(sent(&store, 1, "ada").await, "ADDRESS_SUPPRESSED");
    sweep(&store).await;
    assert_eq!(kept(&store).await, [true, true]);
    store.clock.advance(Duration::from_micros(1));
    assert_eq!(sent(&store, 2, "ada").await, "OK");
    let now = store.clock.now();
    assert_eq!(
        store
            .engine
            .suppressions(now, None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    sweep(&store).await;
    assert_eq!(kept(&store).await, [false, true]);
}

/// Whether there is a row for ada, and one for bob.
async fn kept(store: &TempStore) -> [bool; 2] {
    let mut kept = [false; 2];
    for (row, name) in kept.iter_mut().zip(["ada", "bob"]) {
        let found = store.engine.find_suppression(address(name).key()).await;
        *row = found.unwrap().is_some();
    }
    kept
}

/// A forgotten address is on no list either.
pub async fn forgetting_an_address_takes_it_off_the_list(store: TempStore) {
    send(&store, 1, "ada").await;
    suppress(&store, "ada", None).await;
    store.engine.forget_address(&address("ada")).await.unwrap();
    assert_eq!(
        store
            .engine
            .suppressions(store.clock.now(), None, 10)
            .await
            .unwrap(),
        []
    );
}

fn mail(request: AuthRequestId) -> DeliveryId {
    DeliveryId {
        request,
        ordinal: 0,
    }
}

async fn told(store: &TempStore, id: DeliveryId, what: Fate) -> Option<bool> {
    let feedback = Feedback {
        provider: HookProvider::Mailgun,
        what,
    };
    let settings = Settings::default();
    let rule = move |delivery: &_, request: &_, now| {
        rules::receive(delivery, request, &feedback, &settings, now)
    };
    store.engine.receive(id, Box::new(rule)).await.unwrap()
}

fn no_mailbox() -> Fate {
    Fate::Bounced {
        bad_mailbox: true,
        reason: "5.1.1".to_owned(),
    }
}

/// State, events and list in one act; the same word again changes nothing.
pub async fn a_providers_word_is_noted_once(store: TempStore) {
    let id = mail(send(&store, 1, "ada").await);
    assert_eq!(told(&store, id, Fate::Delivered).await, Some(true));
    assert_eq!(told(&store, id, Fate::Delivered).await, Some(false));
    assert_eq!(told(&store, id, no_mailbox()).await, Some(true));
    assert_eq!(told(&store, id, no_mailbox()).await, Some(false));
    let outgoing = store.engine.find_outgoing(id).await.unwrap().unwrap();
    assert_eq!(outgoing.delivery.state, DeliveryState::Bounced);
    let kinds: Vec<_> = store.timeline(id.request).await;
    let kinds: Vec<_> = kinds.iter().map(|event| event.what.name()).collect();
    let expected = [
        "initiated",
        "mail_queued",
        "mail_delivered",
        "mail_bounced",
        "suppressed",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(sent(&store, 2, "ada").await, "ADDRESS_SUPPRESSED");
}

/// A mail that a provider has delivered is not tried again, whatever the outbox knows.
pub async fn a_delivered_mail_leaves_the_outbox(store: TempStore) {
    let id = mail(send(&store, 1, "ada").await);
    told(&store, id, Fate::Delivered).await;
    store.clock.advance(Duration::from_hours(1));
    assert_eq!(store.engine.outbox().await.unwrap().depth, 0);
    let node = postern_core::model::NodeId([9; 8]);
    let due = store.engine.claim_deliveries(node, 10, WEEK).await.unwrap();
    assert_eq!(due, []);
}

/// A word on a mail that is not there is told as such.
pub async fn a_word_on_an_unknown_mail_is_told_apart(store: TempStore) {
    let id = mail(super::request_id(&store, 7));
    assert_eq!(told(&store, id, Fate::Delivered).await, None);
    let sent = send(&store, 1, "ada").await;
    let other = DeliveryId {
        request: sent,
        ordinal: 1,
    };
    assert_eq!(told(&store, other, Fate::Delivered).await, None);
}
