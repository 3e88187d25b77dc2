//! The sweeper, and forgetting a person.

use std::time::Duration;

use postern_core::model::{
    AuditEntry, DkimAlgorithm, DkimKey, HookProvider, MailHook, MailProvider, Sealed, Timestamp,
    TlsMode,
};
use postern_core::ports::{Amendment, Clock as _, Keep, Swept};
use postern_core::settings::Settings;

use super::{accept, address, first, guess, issue, opening, resend, send, send_many, told};
use crate::testing::TempStore;

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

fn keep(store: &TempStore) -> Keep {
    let now = store.clock.now();
    Keep {
        requests_from: now.minus(7 * DAY),
        events_from: now.minus(90 * DAY),
    }
}

/// Sweeps until there is nothing more to do at once.
async fn sweep(store: &TempStore) -> Swept {
    let mut all = Swept::default();
    loop {
        let swept = store.engine.sweep(keep(store)).await.unwrap();
        all.expired += swept.expired;
        all.removed += swept.removed;
        if !swept.more {
            return all;
        }
    }
}

/// One event for each open request that is over, once; none for a used one.
pub async fn an_expired_request_gets_one_event(store: TempStore) {
    let open = send(&store, 1, "ada").await;
    let used = send(&store, 2, "bob").await;
    store
        .engine
        .redeem(used, false, accept())
        .await
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(sweep(&store).await, Swept::default());
    store.clock.advance(3 * MINUTE);
    let young = send(&store, 3, "eve").await;
    store.clock.advance(2 * MINUTE);
    let ended = store.clock.now();
    store.clock.advance(MINUTE / 2);
    assert_eq!(sweep(&store).await.expired, 1);
    assert_eq!(sweep(&store).await.expired, 0);
    let last = store.timeline(open).await.pop().unwrap();
    assert_eq!(last.at, ended, "when it happened, not when it was noticed");
    assert_eq!(
        told(&store, open).await,
        ["initiated", "mail_queued", "expired"]
    );
    assert_eq!(told(&store, used).await.last().unwrap(), "verified");
    store.clock.advance(3 * MINUTE);
    assert_eq!(sweep(&store).await.expired, 1);
    assert_eq!(told(&store, young).await.last().unwrap(), "expired");
}

/// A resend after the end starts another life, and its end is told too.
pub async fn a_request_that_was_resent_can_expire_again(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    store.clock.advance(5 * MINUTE);
    let later = send(&store, 2, "bob").await;
    assert_eq!(sweep(&store).await.expired, 1);
    store
        .engine
        .reissue(id, false, resend(Settings::default()))
        .await
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(sweep(&store).await.expired, 0);
    store.clock.advance(5 * MINUTE);
    assert_eq!(sweep(&store).await.expired, 2);
    assert_eq!(
        told(&store, id).await,
        [
            "initiated",
            "mail_queued",
            "expired",
            "resent",
            "mail_queued",
            "expired"
        ]
    );
    assert_eq!(told(&store, later).await.last().unwrap(), "expired");
}

/// Requests go with their deliveries before events do; what is younger stays.
pub async fn what_is_past_its_retention_goes_and_the_rest_stays(store: TempStore) {
    let old = send_many(&store, 450).await;
    store.clock.advance(Duration::from_secs(1));
    let young = send(&store, 999, "ada").await;
    store.clock.advance(Duration::from_millis(604_799_500));
    let swept = sweep(&store).await;
    assert!(swept.removed >= 900, "{swept:?}");
    assert_eq!(
        store.engine.find_auth_request(old[449]).await.unwrap(),
        None
    );
    assert!(
        store
            .engine
            .find_outgoing(first(old[0]))
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.engine.outbox().await.unwrap().depth, 1);
    assert!(
        store
            .engine
            .find_outgoing(first(young))
            .await
            .unwrap()
            .is_some()
    );
    assert_eq!(
        told(&store, old[0]).await,
        ["initiated", "mail_queued", "expired"]
    );
    store.clock.advance(91 * DAY);
    sweep(&store).await;
    assert_eq!(
        told(&store, old[449]).await.len() + told(&store, young).await.len(),
        0
    );
}

/// A quota row goes when nothing in it counts any more.
pub async fn spent_quota_rows_go_and_counting_ones_stay(store: TempStore) {
    send(&store, 1, "ada").await;
    store.clock.advance(Duration::from_hours(23));
    send(&store, 2, "bob").await;
    assert_eq!(sweep(&store).await.removed, 0);
    store.clock.advance(Duration::from_hours(1));
    assert_eq!(sweep(&store).await.removed, 1);
    send(&store, 3, "bob").await;
    let third = opening(
        issue(&store, 4, &address("bob")),
        Settings {
            sends_per_day: 2,
            ..Settings::default()
        },
        None,
    );
    assert!(
        store
            .engine
            .open_auth_request(third)
            .await
            .unwrap()
            .outcome
            .is_err()
    );
}

/// The guesses of an address may count for longer than its mails do.
pub async fn a_spent_guess_row_goes_too_after_its_quota_row(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    store.clock.advance(MINUTE);
    let guessed = store.engine.redeem(id, true, guess(1)).await.unwrap();
    assert!(guessed.outcome.is_err());
    store.clock.advance(Duration::from_mins(24 * 60 - 1));
    assert_eq!(sweep(&store).await.removed, 1);
    store.clock.advance(MINUTE);
    assert_eq!(sweep(&store).await.removed, 1);
    assert_eq!(sweep(&store).await.removed, 0);
}

/// Requests, mails and events of the address go, by every way of writing it, from the disk too;
/// others stay, and so does what its quotas count.
pub async fn forgetting_an_address_leaves_nothing_of_it(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let shouted = send(&store, 2, "ADA").await;
    let other = send(&store, 3, "bob").await;
    store
        .engine
        .redeem(id, true, guess(1))
        .await
        .unwrap()
        .outcome
        .unwrap_err();
    // Two requests, two deliveries, and the events of three acts.
    assert_eq!(
        store.engine.forget_address(&address("Ada")).await.unwrap(),
        7
    );
    for gone in [id, shouted] {
        assert_eq!(store.engine.find_auth_request(gone).await.unwrap(), None);
        assert_eq!(told(&store, gone).await.len(), 0);
    }
    assert_eq!(told(&store, other).await.len(), 2);
    no_file_names_ada(&store);
    let third = opening(
        issue(&store, 4, &address("ada")),
        Settings {
            sends_per_day: 2,
            ..Settings::default()
        },
        None,
    );
    let refused = store.engine.open_auth_request(third).await.unwrap();
    refused.outcome.unwrap_err();
    assert_eq!(
        store
            .engine
            .forget_address(&address("nobody"))
            .await
            .unwrap(),
        0
    );
}

fn no_file_names_ada(store: &TempStore) {
    for file in std::fs::read_dir(store.path()).unwrap() {
        let held = std::fs::read(file.unwrap().path()).unwrap();
        let held = String::from_utf8_lossy(&held).to_lowercase();
        let named = held.contains("ada@") || held.contains("ada%40");
        assert!(!named, "a file holds the address");
    }
}

/// What admins did about it stays, without its name; also on the disk.
pub async fn forgetting_an_address_takes_its_name_out_of_the_audit(store: TempStore) {
    for (action, target, after) in [
        ("suppression.put", "Ada@example.com", "asked"),
        ("log.export", "log.csv", "email=ada%40example.com"),
        ("provider.test", "relay", "taken, to ada@example.com"),
        ("suppression.drop", "bob@example.com", ""),
    ] {
        let entry = AuditEntry {
            at: store.clock.now(),
            actor: "owner@example.com".into(),
            action: action.into(),
            target: target.into(),
            before: String::new(),
            after: after.into(),
        };
        store.engine.note(entry).await.unwrap();
    }
    store.engine.forget_address(&address("Ada")).await.unwrap();
    let audit = store.engine.audit(None, 9).await.unwrap();
    let audit: Vec<_> = audit.iter().map(|(_, entry)| entry).collect();
    let targets: Vec<_> = audit.iter().map(|entry| &*entry.target).collect();
    assert_eq!(
        targets,
        ["bob@example.com", "relay", "log.csv", "(forgotten)"]
    );
    assert!(!format!("{audit:?}").to_lowercase().contains("ada"));
    no_file_names_ada(&store);
}

/// Requests, sealed inputs and the registry's secrets all hold their root.
pub async fn every_kid_in_use_is_named(store: TempStore) {
    assert_eq!(store.engine.kids_in_use().await.unwrap(), Vec::<u8>::new());
    let mut issue = issue(&store, 1, &address("ada"));
    issue.kid = 9;
    issue.caller_state = Some(Sealed {
        kid: 4,
        bytes: vec![1],
    });
    let opening = opening(
        issue,
        Settings::default(),
        Some(Sealed {
            kid: 7,
            bytes: vec![1],
        }),
    );
    store
        .engine
        .open_auth_request(opening)
        .await
        .unwrap()
        .outcome
        .unwrap();
    let put = |_: &_, _| {
        Ok(vec![
            Amendment::PutProvider(provider(2)),
            Amendment::PutHook(hook(11)),
            Amendment::PutDkimKey(dkim_key(13)),
        ])
    };
    store.engine.amend(Box::new(put)).await.unwrap().unwrap();
    assert_eq!(
        store.engine.kids_in_use().await.unwrap(),
        [2, 4, 7, 9, 11, 13]
    );
}

fn provider(kid: u8) -> MailProvider {
    MailProvider {
        name: "a".into(),
        position: 0,
        host: "h".into(),
        port: 25,
        tls: TlsMode::None,
        username: None,
        password: Some(Sealed {
            kid,
            bytes: vec![1],
        }),
        oauth: None,
        from: "a@example.com".into(),
        reply_to: None,
        connections: None,
        per_minute: None,
    }
}

fn dkim_key(kid: u8) -> DkimKey {
    DkimKey {
        domain: "example.com".into(),
        selector: "s".into(),
        algorithm: DkimAlgorithm::Rsa,
        private: Sealed {
            kid,
            bytes: vec![1],
        },
        public: Vec::new(),
        created_at: Timestamp::from_micros(0),
    }
}

fn hook(kid: u8) -> MailHook {
    MailHook {
        provider: HookProvider::Ses,
        secret: Sealed {
            kid,
            bytes: vec![1],
        },
    }
}
