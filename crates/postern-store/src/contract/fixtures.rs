use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use postern_core::Error;
use postern_core::model::{
    AuthRequest, AuthRequestId, ClientId, DeliveryId, Email, Event, EventKind, Method, Sealed,
    Settlement, State, Timestamp, UsedBy,
};
use postern_core::ports::{
    Change, Clock as _, Decide, Decision, Engine, Opening, Settled, StoreError,
};
use postern_core::rules::{BUDGET_SPAN, Issue, Reissue, budget_spent};
use postern_core::settings::Settings;

use crate::testing::TempStore;

/// The client of the fixtures.
pub fn client() -> ClientId {
    ClientId::parse("skc_00000000000000000001").expect("it is well formed")
}

/// An address of the fixtures.
pub fn address(name: &str) -> Email {
    Email::parse(&format!("{name}@example.com")).expect("it is well formed")
}

/// An id made at the store's present moment; `n` tells ids of one moment apart.
pub fn request_id(store: &TempStore, n: u16) -> AuthRequestId {
    let mut random = [0; AuthRequestId::RANDOM];
    random[3..5].copy_from_slice(&n.to_be_bytes());
    AuthRequestId::new(store.clock.now(), random)
}

/// A send of a passcode, for the rule that issues.
pub fn issue(store: &TempStore, n: u16, address: &Email) -> Issue {
    issue_of(request_id(store, n), address)
}

/// A send of a passcode with this id.
pub fn issue_of(id: AuthRequestId, address: &Email) -> Issue {
    Issue {
        id,
        kid: 1,
        client: client(),
        address: address.clone(),
        key: address.key(),
        method: Method::Otp,
        template: None,
        lifetime: Duration::from_mins(5),
        caller_state: None,
    }
}

/// What the port takes for such a send.
pub fn opening(issue: Issue, settings: Settings, input: Option<Sealed>) -> Opening {
    Opening {
        address: issue.key,
        counted_as: issue.key,
        client: (settings.client_sends_per_minute > 0).then(|| issue.client.clone()),
        input,
        decide: Box::new(move |found, now| issue.decide(found.ledger, &settings, now)),
    }
}

/// Opens a request for `name` under the default settings; panics if it is refused.
pub async fn send(store: &TempStore, n: u16, name: &str) -> AuthRequestId {
    let issue = issue(store, n, &address(name));
    let id = issue.id;
    let decision = store
        .engine
        .open_auth_request(opening(issue, Settings::default(), None))
        .await;
    decision
        .expect("the store takes it")
        .outcome
        .expect("the quota has room");
    id
}

/// Opens so many requests at once, each for an address of its own.
pub async fn send_many(store: &TempStore, count: u16) -> Vec<AuthRequestId> {
    let issues: Vec<_> = (0..count)
        .map(|n| issue(store, n, &address(&format!("a{n}"))))
        .collect();
    let ids = issues.iter().map(|issue| issue.id).collect();
    for some in issues.chunks(500) {
        let some = some.to_vec();
        let ended = race(
            store,
            u16::try_from(some.len()).expect("at most 500"),
            move |engine, n| {
                let issue = some[usize::from(n)].clone();
                let open = move |engine: Arc<dyn Engine>| {
                    let opening = opening(issue.clone(), Settings::default(), None);
                    async move { engine.open_auth_request(opening).await }
                };
                insist(engine, open)
            },
        )
        .await;
        assert!(codes(ended).iter().all(|code| *code == "OK"));
    }
    ids
}

/// A rule that resends under `settings`.
pub fn resend(settings: Settings) -> Decide {
    Box::new(move |found, now| {
        let Some(request) = found.request else {
            return Decision::refuse(Error::AuthRequestNotFound);
        };
        Reissue {
            request,
            key: request.address.key(),
            settings: &settings,
        }
        .decide(found.ledger, now)
    })
}

/// A rule that accepts an open request.
pub fn accept() -> Decide {
    Box::new(|found, now| {
        let Some(request) = found.request else {
            return Decision::refuse(Error::AuthRequestNotFound);
        };
        if request.state != State::Open {
            return Decision::refuse(Error::AuthRequestUsed);
        }
        let used = AuthRequest {
            state: State::Used(UsedBy::Code),
            ..request.clone()
        };
        let event = event(request, now, EventKind::Verified { by: UsedBy::Code });
        Decision {
            outcome: Ok(()),
            change: Some(change(used, vec![event])),
        }
    })
}

/// A rule that counts the wrong code with this digest, up to the budget and five for a request.
pub fn guess(digest: u8) -> Decide {
    Box::new(move |found, now| {
        let Some(request) = found.request else {
            return Decision::refuse(Error::AuthRequestNotFound);
        };
        let spent = budget_spent(&found.ledger.guesses, &Settings::default(), now).is_some();
        if request.state != State::Open || spent || request.wrong.contains(&[digest; 16]) {
            return Decision::refuse(Error::TooManyAttempts);
        }
        let wrong = request.wrong.with([digest; 16]);
        let attempts_left = 5 - wrong.count();
        let state = if attempts_left == 0 {
            State::Dead
        } else {
            State::Open
        };
        let event = event(
            request,
            now,
            EventKind::WrongCode {
                attempts_left,
                budgeted: true,
            },
        );
        let mut change = change(
            AuthRequest {
                wrong,
                state,
                ..request.clone()
            },
            vec![event],
        );
        change.guesses = Some(found.ledger.guesses.with(now, BUDGET_SPAN));
        Decision {
            outcome: Err(Error::InvalidCode { attempts_left }),
            change: Some(change),
        }
    })
}

/// An event about a request.
pub fn event(request: &AuthRequest, at: Timestamp, what: EventKind) -> Event {
    Event {
        at,
        request: Some(request.id),
        client: Some(request.client.clone()),
        address: request.address.key(),
        what,
    }
}

/// A change of nothing but the request, with these events.
pub fn change(request: AuthRequest, events: Vec<Event>) -> Change {
    Change {
        request,
        sends: None,
        client_sends: None,
        guesses: None,
        delivery: None,
        events,
    }
}

/// The end of an attempt at the first mail of a request.
pub fn settled(id: AuthRequestId, settlement: Settlement) -> Settled {
    Settled {
        id: first(id),
        client: client(),
        address: address("ada").key(),
        tries: Vec::new(),
        settlement,
    }
}

/// A mail that the provider took.
pub fn sent() -> Settlement {
    Settlement::Sent {
        provider: "relay".into(),
        reply: "250 ok".into(),
    }
}

/// A mail whose recipient the provider refused.
pub fn bounced() -> Settlement {
    Settlement::Bounced {
        provider: "relay".into(),
        reply: "rcpt: 550 no such user".into(),
    }
}

/// The first mail of a request.
pub fn first(id: AuthRequestId) -> DeliveryId {
    DeliveryId {
        request: id,
        ordinal: 0,
    }
}

/// Runs `count` acts at once and answers what came of each, in order.
pub async fn race<T, F>(
    store: &TempStore,
    count: u16,
    act: impl Fn(Arc<dyn Engine>, u16) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..count)
        .map(|n| tokio::spawn(act(Arc::clone(&store.engine), n)))
        .collect();
    let mut ended = Vec::new();
    for act in running {
        ended.push(act.await.expect("no act of a race panics"));
    }
    ended
}

/// Asks again while the store takes no more work at the moment: a slow machine refuses part of a crowd, and
/// nothing was done then.
pub async fn insist<T, F>(
    engine: Arc<dyn Engine>,
    act: impl Fn(Arc<dyn Engine>) -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match act(Arc::clone(&engine)).await {
            Err(StoreError::Refused) => tokio::task::yield_now().await,
            ended => return ended,
        }
    }
}

/// The stable codes of decisions, `OK` for an accepted one.
pub fn codes(decisions: Vec<Result<Decision, StoreError>>) -> Vec<&'static str> {
    let code = |decision: Result<Decision, StoreError>| match decision {
        Ok(Decision {
            outcome: Ok(()), ..
        }) => "OK",
        Ok(Decision {
            outcome: Err(error),
            ..
        }) => error.code(),
        Err(error) => panic!("the store failed: {error}"),
    };
    decisions.into_iter().map(code).collect()
}

/// How many are `OK`.
pub fn accepted(codes: &[&str]) -> usize {
    codes.iter().filter(|code| **code == "OK").count()
}

/// The request, which must be there.
pub async fn found(store: &TempStore, id: AuthRequestId) -> AuthRequest {
    store
        .engine
        .find_auth_request(id)
        .await
        .expect("the store answers")
        .expect("the request is there")
}

/// The names of a request's events, in their order.
pub async fn told(store: &TempStore, id: AuthRequestId) -> Vec<String> {
    let events = store.timeline(id).await;
    let name = |event: Event| {
        let json = serde_json::to_value(&event.what).expect("an event is JSON");
        json["kind"].as_str().expect("it has a kind").to_owned()
    };
    events.into_iter().map(name).collect()
}

/// Uses a request up with a right code.
pub async fn use_up(store: &TempStore, id: AuthRequestId) {
    let decision = store.engine.redeem(id, false, accept()).await.unwrap();
    decision.outcome.unwrap();
}

/// That a request of its own address was opened, in the words of the log.
pub fn initiated(at: Timestamp, n: u16) -> Event {
    let mut random = [0; AuthRequestId::RANDOM];
    random[3..5].copy_from_slice(&n.to_be_bytes());
    let email = address(&format!("a{n}"));
    Event {
        at,
        request: Some(AuthRequestId::new(at, random)),
        client: Some(client()),
        address: email.key(),
        what: EventKind::Initiated {
            email: email.as_given().to_owned(),
            method: Method::Otp,
            template: None,
            hardened: false,
            expires_in: 300,
        },
    }
}
