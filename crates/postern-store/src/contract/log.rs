//! The authentication log.

use std::time::Duration;

use postern_core::model::{
    AuthRequestId, ClientId, Counter, DeliveryId, Event, EventKind, LogStatus, Timestamp,
};
use postern_core::ports::{Clock as _, Keep, LogPage, LogPlace, LogQuery, Settled};
use postern_core::settings::Settings;

use super::{
    address, bounced, guess, initiated, race, resend, send, send_many, sent, settled, use_up,
};
use crate::testing::TempStore;

const MINUTE: Duration = Duration::from_mins(1);

async fn page(store: &TempStore, query: LogQuery) -> LogPage {
    store.project().await;
    store.engine.log(query).await.unwrap()
}

fn all(limit: usize) -> LogQuery {
    LogQuery {
        limit,
        ..LogQuery::default()
    }
}

fn ids(page: &LogPage) -> Vec<AuthRequestId> {
    page.entries.iter().map(|entry| entry.id).collect()
}

/// Opened, mailed, verified: status, last event and address as they are.
pub async fn an_entry_tells_what_became_of_its_request(store: TempStore) {
    let id = send(&store, 1, "Ada").await;
    let opened = store.clock.now();
    let entry = || async {
        store.project().await;
        store.engine.find_logged(id).await.unwrap().unwrap()
    };
    let first = entry().await;
    assert_eq!((first.status, first.at), (LogStatus::Initiated, opened));
    assert_eq!(
        (&*first.email, &*first.last),
        ("Ada@example.com", "mail_queued")
    );
    store.clock.advance(MINUTE);
    let sent = settled(id, sent());
    store.engine.settle_delivery(sent).await.unwrap();
    assert_eq!(entry().await.last, "mail_sent");
    use_up(&store, id).await;
    let last = entry().await;
    assert_eq!((last.status, &*last.last), (LogStatus::Success, "verified"));
    assert_eq!((last.at, last.last_at), (opened, store.clock.now()));
    assert_eq!(last.events.len(), 3);
    let unknown = AuthRequestId::from_bytes([9; 16]);
    assert_eq!(store.engine.find_logged(unknown).await.unwrap(), None);
}

/// Every entry once, newest first, by the numbers that a page names.
pub async fn pages_go_back_and_forth_without_a_gap(store: TempStore) {
    let mut sent = Vec::new();
    for n in 0..7 {
        sent.push(send(&store, n, &format!("a{n}")).await);
        store.clock.advance(MINUTE);
    }
    sent.reverse();
    let first = page(&store, all(3)).await;
    assert_eq!((ids(&first), first.newer), (sent[..3].to_vec(), None));
    let place = |place| LogQuery { place, ..all(3) };
    let second = page(&store, place(LogPlace::Before(first.older.unwrap()))).await;
    assert_eq!(ids(&second), sent[3..6]);
    let third = page(&store, place(LogPlace::Before(second.older.unwrap()))).await;
    assert_eq!((ids(&third), third.older), (sent[6..].to_vec(), None));
    let back = page(&store, place(LogPlace::After(third.newer.unwrap()))).await;
    assert_eq!(ids(&back), sent[3..6]);
    let start = page(&store, place(LogPlace::After(back.newer.unwrap()))).await;
    assert_eq!((ids(&start), start.newer), (sent[..3].to_vec(), None));
    assert!(
        [first, second, third, back, start]
            .iter()
            .all(|page| page.total == 7)
    );
}

/// By address in any spelling, by status, by client, by time: both bounds inclusive.
pub async fn filters_narrow_the_page_and_its_total(store: TempStore) {
    let early = send(&store, 1, "ada").await;
    use_up(&store, early).await;
    store.clock.advance(MINUTE);
    let middle = store.clock.now();
    let ada = send(&store, 2, "ADA").await;
    let bob = send(&store, 3, "bob").await;
    store.clock.advance(MINUTE);
    let late = send(&store, 4, "bob").await;
    for digest in 0..5 {
        let guessed = store
            .engine
            .redeem(late, true, guess(digest))
            .await
            .unwrap();
        guessed.outcome.unwrap_err();
    }
    let find = |query: LogQuery| async {
        let found = page(&store, query).await;
        assert_eq!(found.total, found.entries.len() as u64);
        ids(&found)
    };
    let of_ada = LogQuery {
        address: Some(address("aDa").key()),
        ..all(9)
    };
    assert_eq!(find(of_ada.clone()).await, [ada, early]);
    let statuses = vec![LogStatus::Success];
    assert_eq!(find(LogQuery { statuses, ..of_ada }).await, [early]);
    let statuses = vec![LogStatus::Initiated, LogStatus::Pending];
    assert_eq!(
        find(LogQuery { statuses, ..all(9) }).await,
        [late, bob, ada]
    );
    let then = LogQuery {
        from: Some(middle),
        to: Some(middle),
        ..all(9)
    };
    assert_eq!(find(then).await, [bob, ada]);
    let since = LogQuery {
        from: Some(middle),
        ..all(9)
    };
    assert_eq!(find(since).await, [late, bob, ada]);
    let client = ClientId::parse("skc_other");
    assert_eq!(find(LogQuery { client, ..all(9) }).await, []);
    let client = Some(super::client());
    assert_eq!(find(LogQuery { client, ..all(9) }).await.len(), 4);
}

/// Alone and with other filters, and over the edge of a segment.
pub async fn requests_whose_mail_was_lost_are_found(store: TempStore) {
    let now = store.clock.now();
    // The first ones fill more than a segment, so that there is one without any lost mail.
    let events = (0..8_200).map(|n| initiated(now, n)).collect();
    store.engine.record(events).await.unwrap();
    store.project().await;
    let ada = send(&store, 9_001, "ada").await;
    let bob = send(&store, 9_002, "bob").await;
    let eve = send(&store, 9_003, "eve").await;
    for (id, end) in [(ada, bounced()), (bob, sent()), (eve, bounced())] {
        store
            .engine
            .settle_delivery(settled(id, end))
            .await
            .unwrap();
    }
    let lost = |limit| LogQuery {
        lost: true,
        ..all(limit)
    };
    let find = |query: LogQuery| async {
        let found = page(&store, query).await;
        assert_eq!(found.total, found.entries.len() as u64);
        ids(&found)
    };
    assert_eq!(find(lost(9)).await, [eve, ada]);
    let first = page(&store, lost(1)).await;
    assert_eq!((ids(&first), first.total), (vec![eve], 2));
    let place = LogPlace::Before(first.older.unwrap());
    let second = page(&store, LogQuery { place, ..lost(1) }).await;
    assert_eq!((ids(&second), second.older), (vec![ada], None));
    let place = LogPlace::After(second.newer.unwrap());
    let back = page(&store, LogQuery { place, ..lost(1) }).await;
    assert_eq!(ids(&back), [eve]);
    for (name, expected) in [("ada", vec![ada]), ("bob", vec![])] {
        let address = Some(address(name).key());
        assert_eq!(find(LogQuery { address, ..lost(9) }).await, expected);
    }
    let client = ClientId::parse("skc_other");
    assert_eq!(find(LogQuery { client, ..lost(9) }).await, []);
    let to = Some(now.minus(MINUTE));
    assert_eq!(find(LogQuery { to, ..lost(9) }).await, []);
}

/// Its first mail is refused; the one of a resend is taken.
pub async fn a_mail_is_lost_until_another_one_arrives(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let refused = settled(id, bounced());
    store.engine.settle_delivery(refused).await.unwrap();
    let lost = || async {
        let lost = LogQuery {
            lost: true,
            ..all(9)
        };
        ids(&page(&store, lost).await)
    };
    assert_eq!(lost().await, [id]);
    let again = resend(Settings::default());
    store.engine.reissue(id, false, again).await.unwrap();
    assert_eq!(lost().await, [id], "the second one is only on its way");
    let second = Settled {
        id: DeliveryId {
            request: id,
            ordinal: 1,
        },
        ..settled(id, sent())
    };
    store.engine.settle_delivery(second).await.unwrap();
    assert_eq!(lost().await, []);
}

/// From the page and from what it counts, by address and by time too.
pub async fn a_client_is_left_out_of_the_page_and_its_total(store: TempStore) {
    let sent = send(&store, 1, "ada").await;
    let find = |query: LogQuery| async {
        let found = page(&store, query).await;
        assert_eq!(found.total, found.entries.len() as u64);
        ids(&found)
    };
    let narrow = || {
        let address = Some(address("ada").key());
        let to = Some(store.clock.now());
        [
            all(9),
            LogQuery { address, ..all(9) },
            LogQuery { to, ..all(9) },
        ]
    };
    for query in narrow() {
        let without = ClientId::parse("postern-dashboard");
        assert_eq!(find(LogQuery { without, ..query }).await, [sent]);
    }
    for query in narrow() {
        let without = Some(super::client());
        assert_eq!(find(LogQuery { without, ..query }).await, []);
    }
}

/// Ten thousand and one stands for more.
pub async fn the_total_is_exact_to_ten_thousand(store: TempStore) {
    let now = store.clock.now();
    let events = |numbers: std::ops::Range<u16>| numbers.map(move |n| initiated(now, n)).collect();
    store.engine.record(events(0..9_999)).await.unwrap();
    assert_eq!(page(&store, all(1)).await.total, 9_999);
    store.engine.record(events(9_999..10_000)).await.unwrap();
    assert_eq!(page(&store, all(1)).await.total, 10_000);
    store.engine.record(events(10_000..10_020)).await.unwrap();
    let timed = LogQuery {
        to: Some(now),
        ..all(1)
    };
    assert_eq!(page(&store, timed).await.total, 10_001);
    let wanted = LogQuery {
        statuses: vec![LogStatus::Initiated],
        ..all(1)
    };
    assert_eq!(page(&store, wanted).await.total, 10_001);
}

/// Who comes second finds nothing to do.
pub async fn events_are_taken_in_once_however_many_try(store: TempStore) {
    let sent = send_many(&store, 700).await;
    race(&store, 8, |engine, _| async move { engine.project().await }).await;
    let found = page(&store, all(9)).await;
    assert_eq!(found.total, 700);
    let now = store.clock.now();
    let spans = store
        .engine
        .tallies(now, now.plus(MINUTE), 1)
        .await
        .unwrap();
    assert_eq!(spans[0].1.get(Counter::Requests), 700);
    assert_eq!(store.engine.timeline(sent[0]).await.unwrap().len(), 2);
}

/// They have no request; who asks why there was no mail finds them all the same.
pub async fn refusals_are_found_by_their_address(store: TempStore) {
    let refused = |name: &str| Event {
        at: store.clock.now(),
        request: None,
        client: Some(super::client()),
        address: address(name).key(),
        what: EventKind::Throttled {
            what: "mails to this address".into(),
            count: 3,
        },
    };
    let (ada, bob) = (refused("ada"), refused("bob"));
    store.engine.record(vec![ada.clone(), bob]).await.unwrap();
    store.project().await;
    let found = store.engine.refusals(address("ada").key()).await.unwrap();
    assert_eq!(found, [ada]);
}

/// Entry, refusals and places go with the person, and with time.
pub async fn the_log_forgets_an_address_and_what_is_past_its_retention(store: TempStore) {
    let ada = send(&store, 1, "ada").await;
    let bob = send(&store, 2, "bob").await;
    store.project().await;
    store.engine.forget_address(&address("ada")).await.unwrap();
    let left = page(&store, all(9)).await;
    assert_eq!((ids(&left), left.total), (vec![bob], 1));
    assert_eq!(store.engine.find_logged(ada).await.unwrap(), None);
    let key = Some(address("ada").key());
    assert_eq!(
        page(
            &store,
            LogQuery {
                address: key,
                ..all(9)
            }
        )
        .await
        .total,
        0
    );
    store.clock.advance(Duration::from_hours(24));
    let eve = send(&store, 3, "eve").await;
    store.project().await;
    let from = store.clock.now().minus(MINUTE);
    let keep = Keep {
        requests_from: from,
        events_from: from,
    };
    while store.engine.sweep(keep).await.unwrap().more {}
    // The sweeper told of an end that was itself past its time.
    store.project().await;
    while store.engine.sweep(keep).await.unwrap().more {}
    let left = page(&store, all(9)).await;
    assert_eq!((ids(&left), left.total), (vec![eve], 1));
    let spans = store
        .engine
        .tallies(Timestamp::from_micros(0), store.clock.now().plus(MINUTE), 1);
    assert_eq!(spans.await.unwrap().len(), 1);
}
