//! The outbox: leases, claims and their ends.

use std::collections::HashSet;
use std::time::Duration;

use postern_core::model::{DeliveryState, Fault, LastTry, NodeId, Sealed, Settlement, Try};
use postern_core::ports::{Clock as _, OutboxState, Settled, WantedDeliveries};
use postern_core::rules::LEASE;
use postern_core::settings::Settings;

use super::{
    address, bounced, first, issue, opening, race, request_id, send, send_many, sent, settled, told,
};
use crate::testing::TempStore;

const OTHER: NodeId = NodeId([9; 8]);

/// What a send queued is not due before its own node's lease ends.
pub async fn a_new_delivery_is_leased_until_it_is_due(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 10, LEASE)
            .await
            .unwrap(),
        []
    );
    let outgoing = store
        .engine
        .find_outgoing(first(id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(outgoing.delivery.state, DeliveryState::Queued);
    assert_eq!(outgoing.delivery.due_at, store.clock.now().plus(LEASE));
    assert_eq!((outgoing.request.id, outgoing.input), (id, None));
}

/// However many claim, a delivery goes to one of them.
pub async fn a_delivery_is_claimed_once_under_race(store: TempStore) {
    for n in 0..40 {
        send(&store, n, &format!("a{n}")).await;
    }
    store.clock.advance(LEASE);
    let claims = race(&store, 16, |engine, n| async move {
        let node = NodeId([u8::try_from(n).expect("below 16"); 8]);
        engine.claim_deliveries(node, 5, LEASE).await.unwrap()
    })
    .await;
    let all: Vec<_> = claims.into_iter().flatten().collect();
    assert_eq!(
        (all.len(), all.iter().collect::<HashSet<_>>().len()),
        (40, 40)
    );
}

/// A lease that ran out is taken by another.
pub async fn a_lost_lease_is_claimed_again(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    store.clock.advance(LEASE);
    for _ in 0..3 {
        assert_eq!(
            store
                .engine
                .claim_deliveries(OTHER, 10, LEASE)
                .await
                .unwrap(),
            [first(id)]
        );
        assert_eq!(
            store
                .engine
                .claim_deliveries(store.node, 10, LEASE)
                .await
                .unwrap(),
            []
        );
        store.clock.advance(LEASE);
    }
}

/// What has waited longest is taken first.
pub async fn claims_come_oldest_first_and_within_their_limit(store: TempStore) {
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(first(send(&store, 9 - n, &format!("a{n}")).await));
        store.clock.advance(Duration::from_secs(1));
    }
    store.clock.advance(LEASE);
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 3, LEASE)
            .await
            .unwrap(),
        ids[..3]
    );
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 3, LEASE)
            .await
            .unwrap(),
        ids[3..]
    );
}

/// Each once, with its own event, one that is not queued any more among them or not.
pub async fn deliveries_settle_together(store: TempStore) {
    let ids = send_many(&store, 3).await;
    let ends = |end: fn() -> Settlement| ids.iter().map(move |id| settled(*id, end())).collect();
    let one = settled(ids[0], bounced());
    store.engine.settle_delivery(one).await.unwrap();
    store.engine.settle_deliveries(ends(sent)).await.unwrap();
    store.engine.settle_deliveries(ends(bounced)).await.unwrap();
    store.engine.settle_deliveries(Vec::new()).await.unwrap();
    for (n, id) in ids.into_iter().enumerate() {
        let end = if n == 0 { "mail_failed" } else { "mail_sent" };
        assert_eq!(told(&store, id).await, ["initiated", "mail_queued", end]);
    }
    assert_eq!(store.engine.outbox().await.unwrap().depth, 0);
}

/// The first end of a delivery stands; later ones change nothing and tell of nothing.
pub async fn a_delivery_settles_once(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let ends = race(&store, 8, move |engine, n| async move {
        let bounced = Settlement::Bounced {
            provider: "relay".into(),
            reply: "550".into(),
        };
        let settlement = if n % 2 == 0 { sent() } else { bounced };
        engine.settle_delivery(settled(id, settlement)).await
    })
    .await;
    assert!(ends.iter().all(Result::is_ok));
    let outgoing = store
        .engine
        .find_outgoing(first(id))
        .await
        .unwrap()
        .unwrap();
    assert!(matches!(
        outgoing.delivery.state,
        DeliveryState::Sent | DeliveryState::Bounced
    ));
    assert_eq!(outgoing.delivery.attempts, 1);
    assert_eq!(told(&store, id).await.len(), 3);
    store.clock.advance(LEASE);
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 10, LEASE)
            .await
            .unwrap(),
        []
    );
}

/// Each provider that was tried is told of, in order, with the moment it was tried.
pub async fn every_try_of_an_attempt_is_on_the_timeline(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let started = store.clock.now();
    store.clock.advance(Duration::from_secs(4));
    let tried = |provider: &str, after| Try {
        provider: provider.into(),
        at: started.plus(Duration::from_secs(after)),
        fault: Fault::Trouble,
        reason: "connect: refused".into(),
    };
    let end = Settled {
        tries: vec![tried("a", 1), tried("b", 3)],
        ..settled(id, sent())
    };
    store.engine.settle_delivery(end).await.unwrap();
    let events = store.timeline(id).await;
    let moments: Vec<_> = events.iter().rev().take(3).map(|event| event.at).collect();
    let expected = [4, 3, 1].map(|after| started.plus(Duration::from_secs(after)));
    assert_eq!(moments, expected);
    let names = told(&store, id).await;
    assert_eq!(names[2..], ["mail_deferred", "mail_deferred", "mail_sent"]);
    let outgoing = store.engine.find_outgoing(first(id)).await.unwrap();
    assert_eq!(outgoing.unwrap().delivery.attempts, 3);
}

/// What came of the last try is read back with the delivery.
pub async fn the_last_try_is_remembered(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    for in_a_row in 1..3 {
        let unsure = Settlement::Retry {
            at: store.clock.now(),
            provider: Some("relay".into()),
            fault: Fault::Unsure,
            reason: "no answer".into(),
        };
        store
            .engine
            .settle_delivery(settled(id, unsure))
            .await
            .unwrap();
        let outgoing = store.engine.find_outgoing(first(id)).await.unwrap();
        let expected = LastTry {
            provider: "relay".into(),
            fault: Some(Fault::Unsure),
            in_a_row,
        };
        assert_eq!(outgoing.unwrap().delivery.last_try, Some(expected));
    }
}

/// Newest first, by request, by state, and from a place on.
pub async fn deliveries_are_listed_newest_first(store: TempStore) {
    let mut ids = Vec::new();
    for (n, name) in ["ada", "bob", "cid"].into_iter().enumerate() {
        ids.push(send(&store, u16::try_from(n).expect("it is small"), name).await);
        store.clock.advance(Duration::from_secs(1));
    }
    store
        .engine
        .settle_delivery(settled(ids[1], sent()))
        .await
        .unwrap();
    let all = WantedDeliveries {
        request: None,
        state: None,
        before: None,
        limit: 10,
    };
    let listed = async |wanted| {
        let found = store.engine.deliveries(wanted).await.unwrap();
        let names = found.iter().map(|one| one.address.local().to_owned());
        names.collect::<Vec<_>>()
    };
    let mut by_age: Vec<_> = ids.iter().zip(["ada", "bob", "cid"]).collect();
    by_age.sort();
    by_age.reverse();
    let names: Vec<_> = by_age.iter().map(|(_, name)| *name).collect();
    assert_eq!(listed(all).await, names);
    assert_eq!(
        listed(WantedDeliveries { limit: 1, ..all }).await,
        names[..1]
    );
    let before = Some(first(*by_age[0].0));
    assert_eq!(listed(WantedDeliveries { before, ..all }).await, names[1..]);
    let request = Some(ids[0]);
    assert_eq!(listed(WantedDeliveries { request, ..all }).await, ["ada"]);
    let state = Some(DeliveryState::Sent);
    assert_eq!(listed(WantedDeliveries { state, ..all }).await, ["bob"]);
}

/// A repeat is due at its moment; giving up leases does not bring it forward.
pub async fn a_retry_waits_and_a_release_does_not_shorten_the_wait(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let at = store.clock.now().plus(Duration::from_secs(20));
    let retry = Settlement::Retry {
        at,
        provider: Some("relay".into()),
        fault: Fault::Deferred,
        reason: "451".into(),
    };
    store
        .engine
        .settle_delivery(settled(id, retry))
        .await
        .unwrap();
    assert_eq!(store.engine.release_leases(OTHER).await.unwrap(), 0);
    store.clock.advance(Duration::from_secs(19));
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 10, LEASE)
            .await
            .unwrap(),
        []
    );
    store.clock.advance(Duration::from_secs(1));
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 10, LEASE)
            .await
            .unwrap(),
        [first(id)]
    );
    assert_eq!(told(&store, id).await.last().unwrap(), "mail_deferred");
}

/// At its start a node takes what its predecessor held; its own leases stay.
pub async fn a_release_ends_the_leases_of_other_nodes_only(store: TempStore) {
    send_many(&store, 1201).await;
    assert_eq!(store.engine.release_leases(store.node).await.unwrap(), 0);
    assert_eq!(
        store
            .engine
            .claim_deliveries(store.node, 10, LEASE)
            .await
            .unwrap(),
        []
    );
    assert_eq!(store.engine.release_leases(OTHER).await.unwrap(), 1201);
    assert_eq!(store.engine.release_leases(OTHER).await.unwrap(), 0);
    assert_eq!(
        store
            .engine
            .claim_deliveries(OTHER, 2000, LEASE)
            .await
            .unwrap()
            .len(),
        1201
    );
}

/// Depth and age count what is queued or leased.
pub async fn the_outbox_tells_its_depth_and_its_oldest(store: TempStore) {
    assert_eq!(store.engine.outbox().await.unwrap(), OutboxState::default());
    let started = store.clock.now();
    let id = send(&store, 1, "ada").await;
    store.clock.advance(Duration::from_secs(5));
    send(&store, 2, "bob").await;
    let state = store.engine.outbox().await.unwrap();
    assert_eq!(
        state,
        OutboxState {
            depth: 2,
            oldest: Some(started)
        }
    );
    store
        .engine
        .settle_delivery(settled(id, sent()))
        .await
        .unwrap();
    let state = store.engine.outbox().await.unwrap();
    assert_eq!(
        state,
        OutboxState {
            depth: 1,
            oldest: Some(started.plus(Duration::from_secs(5)))
        }
    );
}

/// The input comes with its delivery; a delivery that is gone is no error.
pub async fn what_is_gone_cannot_be_sent(store: TempStore) {
    let input = Sealed {
        kid: 3,
        bytes: vec![5; 40],
    };
    let issue = issue(&store, 1, &address("ada"));
    let id = issue.id;
    let opened = store
        .engine
        .open_auth_request(opening(issue, Settings::default(), Some(input.clone())))
        .await;
    opened.unwrap().outcome.unwrap();
    assert_eq!(
        store
            .engine
            .find_outgoing(first(id))
            .await
            .unwrap()
            .unwrap()
            .input,
        Some(input)
    );
    assert!(
        store
            .engine
            .find_outgoing(first(request_id(&store, 2)))
            .await
            .unwrap()
            .is_none()
    );
    store
        .engine
        .settle_delivery(settled(request_id(&store, 2), sent()))
        .await
        .unwrap();
}
