//! Requests under their rules, and races for them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{
    AuthRequest, ClientId, CodeAlphabet, CodeShape, Method, Sealed, State, Suppression,
    SuppressionReason, Template, Timestamp, UsedBy,
};
use postern_core::ports::{Clock as _, Decision, Opening};
use postern_core::rules::Issue;
use postern_core::settings::Settings;

use super::{
    accept, accepted, address, change, client, codes, found, guess, insist, issue, opening, race,
    request_id, resend, send, told,
};
use crate::testing::TempStore;

/// Every field survives the store.
pub async fn an_opened_request_reads_back_as_it_was_written(store: TempStore) {
    let written = every_field_set(&store);
    let mut opening = opening(issue(&store, 1, &address("ada")), Settings::default(), None);
    let request = written.clone();
    opening.decide = Box::new(move |_, _| Decision {
        outcome: Ok(()),
        change: Some(change(request.clone(), vec![])),
    });
    store
        .engine
        .open_auth_request(opening)
        .await
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(found(&store, written.id).await, written);
}

fn every_field_set(store: &TempStore) -> AuthRequest {
    let now = store.clock.now();
    AuthRequest {
        id: request_id(store, 1),
        kid: 200,
        client: client(),
        address: postern_core::model::Email::parse("Ada.L@Exämple.com").expect("it is an address"),
        method: Method::LinkOtp,
        template: Some(Template::Unspecified),
        shape: CodeShape {
            length: 9,
            alphabet: CodeAlphabet::Alphanumeric,
        },
        hardened: true,
        test: true,
        lifetime: Duration::from_secs(61),
        generation: 3,
        generation_at: now.plus(Duration::from_micros(1)),
        sent_at: now,
        expires_at: now.plus(Duration::from_micros(2)),
        resends: 4,
        state: State::Used(UsedBy::Link),
        wrong: postern_core::model::WrongCodes::default()
            .with([1; 16])
            .with([2; 16]),
        caller_state: Some(Sealed {
            kid: 9,
            bytes: vec![7; 300],
        }),
    }
}

/// A refusal leaves no row and no event.
pub async fn a_refused_send_writes_nothing(store: TempStore) {
    send(&store, 1, "ada").await;
    send(&store, 2, "ada").await;
    let third = issue(&store, 3, &address("ada"));
    let id = third.id;
    let input = Some(Sealed {
        kid: 1,
        bytes: vec![1],
    });
    let decision = store
        .engine
        .open_auth_request(opening(third, Settings::default(), input))
        .await
        .unwrap();
    assert_eq!(decision.outcome.unwrap_err().code(), "RATE_LIMITED");
    assert_eq!(store.engine.find_auth_request(id).await.unwrap(), None);
    assert_eq!(told(&store, id).await, Vec::<String>::new());
    assert_eq!(store.engine.outbox().await.unwrap().depth, 2);
}

/// Sixteen callers with the right proof: one is accepted.
pub async fn single_use_under_race(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let ended = race(&store, 16, move |engine, _| async move {
        engine.redeem(id, false, accept()).await
    })
    .await;
    let codes = codes(ended);
    assert_eq!(accepted(&codes), 1);
    assert_eq!(
        codes
            .iter()
            .filter(|code| **code == "AUTH_REQUEST_USED")
            .count(),
        15
    );
    assert_eq!(found(&store, id).await.state, State::Used(UsedBy::Code));
    assert_eq!(
        told(&store, id).await,
        ["initiated", "mail_queued", "verified"]
    );
}

/// A hundred different guesses at once: five count, and the request is dead.
pub async fn at_most_five_of_a_hundred_parallel_guesses_count(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let ended = race(&store, 100, move |engine, n| {
        let digest = u8::try_from(n).expect("a hundred fit");
        insist(engine, move |engine| async move {
            engine.redeem(id, true, guess(digest)).await
        })
    })
    .await;
    let counted = codes(ended)
        .iter()
        .filter(|code| **code == "INVALID_CODE")
        .count();
    assert_eq!(counted, 5);
    let request = found(&store, id).await;
    assert_eq!((request.wrong.count(), request.state), (5, State::Dead));
    let refused = store.engine.redeem(id, true, accept()).await;
    assert_eq!(codes(vec![refused]), ["AUTH_REQUEST_USED"]);
}

/// A hundred and fifty guesses over thirty requests of one address: a hundred count.
pub async fn the_guess_budget_holds_across_the_requests_of_an_address(store: TempStore) {
    let mut ids = Vec::new();
    for n in 0..30 {
        store.clock.advance(Duration::from_mins(5));
        ids.push(send(&store, n, "ada").await);
    }
    let ids = Arc::new(ids);
    let ended = race(&store, 150, move |engine, n| {
        let id = ids[usize::from(n / 5)];
        let digest = u8::try_from(n % 5).expect("below five");
        insist(engine, move |engine| async move {
            engine.redeem(id, true, guess(digest)).await
        })
    })
    .await;
    assert_eq!(
        codes(ended)
            .iter()
            .filter(|code| **code == "INVALID_CODE")
            .count(),
        100
    );
}

/// Sixteen sends to one address in one moment: two go out.
pub async fn quotas_hold_under_race(store: TempStore) {
    let issues: Arc<Vec<_>> =
        Arc::new((0..16).map(|n| issue(&store, n, &address("ada"))).collect());
    let ended = race(&store, 16, move |engine, n| {
        let issue = issues[usize::from(n)].clone();
        async move {
            engine
                .open_auth_request(opening(issue, Settings::default(), None))
                .await
        }
    })
    .await;
    assert_eq!(accepted(&codes(ended)), 2);
    assert_eq!(store.engine.outbox().await.unwrap().depth, 2);
}

/// Sixteen sends of one client to sixteen addresses under a cap of five: five go out.
pub async fn a_client_cap_holds_under_race(store: TempStore) {
    let settings = Settings {
        client_sends_per_minute: 5,
        ..Settings::default()
    };
    let issues: Arc<Vec<_>> = Arc::new(
        (0..16)
            .map(|n| issue(&store, n, &address(&format!("a{n}"))))
            .collect(),
    );
    let ended = race(&store, 16, move |engine, n| {
        let opening = opening(issues[usize::from(n)].clone(), settings.clone(), None);
        async move { engine.open_auth_request(opening).await }
    })
    .await;
    assert_eq!(accepted(&codes(ended)), 5);
}

/// And the list is asked about the address all the same.
pub async fn mails_counted_apart_use_up_no_quota_of_the_address(store: TempStore) {
    let ada = address("ada");
    let open = async |n, counted_as| {
        let opening = Opening {
            counted_as,
            ..opening(issue(&store, n, &ada), Settings::default(), None)
        };
        let decision = store.engine.open_auth_request(opening).await;
        decision.unwrap().outcome.map_err(|error| error.code())
    };
    let apart = ada.counted_as(&ClientId::dashboard());
    for (first, counted_as) in [(0, apart), (3, ada.key())] {
        assert_eq!(open(first, counted_as).await, Ok(()));
        assert_eq!(open(first + 1, counted_as).await, Ok(()));
        assert_eq!(open(first + 2, counted_as).await, Err("RATE_LIMITED"));
    }
    store.clock.advance(Duration::from_mins(2));
    let entry = Suppression {
        address: ada.clone(),
        reason: SuppressionReason::Manual,
        detail: String::new(),
        at: store.clock.now(),
        until: None,
    };
    store.engine.suppress(entry).await.unwrap();
    assert_eq!(open(6, apart).await, Err("ADDRESS_SUPPRESSED"));
}

/// Who guesses at one door learns nothing at the other, and keeps nobody out there.
pub async fn wrong_codes_at_the_dashboard_and_at_apps_are_counted_apart(store: TempStore) {
    let ada = address("ada");
    let clients = [client(), ClientId::dashboard()];
    for (first, client) in [0, 100].into_iter().zip(clients) {
        for n in first..first + 20 {
            store.clock.advance(Duration::from_mins(5));
            let issue = Issue {
                client: client.clone(),
                ..issue(&store, n, &ada)
            };
            let id = issue.id;
            let opening = Opening {
                counted_as: ada.counted_as(&client),
                ..opening(issue, Settings::default(), None)
            };
            let opened = store.engine.open_auth_request(opening).await.unwrap();
            assert!(opened.outcome.is_ok(), "{client} {n}");
            for digest in 0..5 {
                let judged = store.engine.redeem(id, true, guess(digest)).await.unwrap();
                let told = judged.outcome.map_err(|error| error.code());
                assert_eq!(told, Err("INVALID_CODE"), "{client} {n}");
            }
        }
    }
}

/// A request that is resent and redeemed at once is used in the end, whoever came first.
pub async fn a_resend_and_a_redeem_that_race_leave_one_meaning(store: TempStore) {
    for round in 0..20 {
        store.clock.advance(Duration::from_mins(2));
        let id = send(&store, round, &format!("r{round}")).await;
        let ended = race(&store, 2, move |engine, n| async move {
            match n {
                0 => engine.reissue(id, false, resend(Settings::default())).await,
                _ => engine.redeem(id, false, accept()).await,
            }
        })
        .await;
        let codes = codes(ended);
        let request = found(&store, id).await;
        assert_eq!((codes[1], request.state), ("OK", State::Used(UsedBy::Code)));
        assert_eq!(u16::from(request.resends), request.generation);
        assert_eq!(request.generation == 1, codes[0] == "OK");
        let mails = told(&store, id)
            .await
            .iter()
            .filter(|kind| *kind == "mail_queued")
            .count();
        assert_eq!(mails, 1 + usize::from(request.generation));
    }
}

/// The rule decides what a missing request means.
pub async fn an_unknown_request_is_shown_to_the_rule_as_missing(store: TempStore) {
    let id = request_id(&store, 7);
    let redeemed = store.engine.redeem(id, true, accept()).await;
    let reissued = store
        .engine
        .reissue(id, false, resend(Settings::default()))
        .await;
    assert_eq!(
        codes(vec![redeemed, reissued]),
        ["AUTH_REQUEST_NOT_FOUND"; 2]
    );
}

/// A clock that steps back, and even a rule that would, move no stored time back.
pub async fn stored_times_never_move_backwards(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let before = found(&store, id).await;
    store.clock.set(Timestamp::from_unix_seconds(1_700_000_000));
    let earlier = Box::new(|seen: postern_core::ports::Found<'_>, now| {
        let request = seen.request.expect("it is there").clone();
        let moved = AuthRequest {
            expires_at: now,
            generation_at: now,
            sent_at: now,
            generation: 0,
            ..request
        };
        Decision {
            outcome: Ok(()),
            change: Some(change(moved, vec![])),
        }
    });
    store
        .engine
        .reissue(id, false, earlier)
        .await
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(found(&store, id).await, before);
}

/// The moment that a rule sees is that of its run, not of the call.
pub async fn an_act_reads_the_clock_when_it_runs(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    let clock = Arc::clone(&store.clock);
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let moving = Box::new(move |_: postern_core::ports::Found<'_>, now| {
        note.lock().unwrap().push(now);
        clock.advance(Duration::from_secs(1));
        Decision {
            outcome: Ok(()),
            change: None,
        }
    });
    let first = store.engine.redeem(id, false, moving.clone());
    store.clock.advance(Duration::from_secs(10));
    let start = store.clock.now();
    first.await.unwrap().outcome.unwrap();
    store
        .engine
        .redeem(id, false, moving)
        .await
        .unwrap()
        .outcome
        .unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [start, start.plus(Duration::from_secs(1))]
    );
}

/// Events come back in the order in which they were written, whatever the clock did.
pub async fn the_timeline_keeps_the_order_of_the_acts(store: TempStore) {
    let id = send(&store, 1, "ada").await;
    store.clock.set(Timestamp::from_unix_seconds(1_700_000_000));
    store
        .engine
        .redeem(id, true, guess(1))
        .await
        .unwrap()
        .outcome
        .unwrap_err();
    store.clock.set(Timestamp::from_unix_seconds(1_900_000_000));
    store
        .engine
        .redeem(id, true, accept())
        .await
        .unwrap()
        .outcome
        .unwrap();
    send(&store, 2, "bob").await;
    assert_eq!(
        told(&store, id).await,
        ["initiated", "mail_queued", "wrong_code", "verified"]
    );
    let events = store.timeline(id).await;
    assert_eq!(events[2].at, Timestamp::from_unix_seconds(1_700_000_000));
    let distinct: HashSet<_> = events.iter().map(|event| event.address).collect();
    assert_eq!(distinct.len(), 1);
}
