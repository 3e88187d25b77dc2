//! Acts beside failing ones, and a store that ends.

use std::time::Duration;

use postern_core::ports::StoreError;
use postern_core::settings::Settings;

use super::{accept, accepted, address, codes, found, issue, opening, race, send, told};
use crate::testing::TempStore;

/// Good acts beside panicking ones are done, and the store goes on.
pub async fn a_panicking_act_fails_alone(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let ended = race(&store, 20, move |engine, n| async move {
        if n % 2 == 0 {
            engine
                .redeem(
                    id,
                    false,
                    Box::new(|_, _| panic!("a rule broke down, as the test wants")),
                )
                .await
        } else {
            engine.redeem(id, false, accept()).await
        }
    })
    .await;
    let (broken, done): (Vec<_>, Vec<_>) = ended.into_iter().partition(Result::is_err);
    assert!(
        broken
            .iter()
            .all(|end| matches!(end, Err(StoreError::Broken(_))))
    );
    assert_eq!((broken.len(), accepted(&codes(done))), (10, 1));
    assert_eq!(
        told(&store, id).await,
        ["initiated", "mail_queued", "verified"]
    );
}

/// What was answered is there when the file is opened again, and so is what was counted.
pub async fn reopening_finds_everything(mut store: TempStore) {
    let id = send(&store, 1, "ada").await;
    send(&store, 2, "ada").await;
    store
        .engine
        .redeem(id, false, accept())
        .await
        .unwrap()
        .outcome
        .unwrap();
    let (before, events) = (found(&store, id).await, store.timeline(id).await);
    store.reopen().await;
    assert_eq!(found(&store, id).await, before);
    assert_eq!(store.timeline(id).await, events);
    let third = opening(issue(&store, 3, &address("ada")), Settings::default(), None);
    let refused = store.engine.open_auth_request(third).await;
    assert_eq!(codes(vec![refused]), ["RATE_LIMITED"]);
    assert_eq!(store.engine.release_leases(store.node).await.unwrap(), 2);
    store.clock.advance(Duration::from_mins(1));
    send(&store, 4, "ada").await;
    assert_eq!(store.timeline(id).await, events);
}

/// After its end a store refuses; what it had accepted is done.
pub async fn a_closed_store_refuses(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    store.engine.close().await;
    assert!(matches!(
        store.engine.redeem(id, false, accept()).await,
        Err(StoreError::Refused)
    ));
    assert!(matches!(
        store.engine.find_auth_request(id).await,
        Err(StoreError::Refused)
    ));
    assert!(matches!(
        store.engine.ping().await,
        Err(StoreError::Refused)
    ));
    store.engine.close().await;
}
