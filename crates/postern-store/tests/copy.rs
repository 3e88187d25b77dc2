//! Copying a store from one engine to the other: all of it, verified, resumable, behind a fence.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use postern_core::model::{AuthRequestId, Client, ClientId, ClientSecret, Invite, NodeId, Role};
use postern_core::ports::{Amendment, Clock, Engine, LogQuery};
use postern_core::settings::Settings;
use postern_store::contract::desk::session_of;
use postern_store::contract::{accept, address, guess, issue, opening, send, send_many};
use postern_store::copy::{Copied, CopyError, Place, copy, lift};
use postern_store::testing::TempStore;
use postern_store::{ConnectError, FenceKind, Tally, Tuning, connect};
use postern_testkit::postgres::Postgres;

/// A store with something in nearly every table.
async fn filled(url: Option<String>) -> (TempStore, Vec<AuthRequestId>) {
    let store = TempStore::at(url, Tuning::default()).await;
    let mut ids = send_many(&store, 120).await;
    ids.push(send(&store, 500, "Ada").await);
    for id in &ids[..40] {
        let used = store.engine.redeem(*id, false, accept()).await.unwrap();
        used.outcome.unwrap();
    }
    for digest in 0..3 {
        let guessed = store.engine.redeem(ids[50], true, guess(digest)).await;
        guessed.unwrap().outcome.unwrap_err();
    }
    store.project().await;
    let client = Client {
        id: ClientId::parse("skc_1").unwrap(),
        name: "An app – größer".into(),
        created_at: store.clock.now(),
        secrets: vec![ClientSecret {
            digest: [7; 32],
            created_at: store.clock.now(),
            expires_at: None,
        }],
    };
    amend(&store, vec![Amendment::PutClient(client)]).await;
    let_in(&store).await;
    (store, ids)
}

/// An admin who is in, and one who is invited.
async fn let_in(store: &TempStore) {
    let now = store.clock.now();
    let session = session_of(1, address("admin"), now);
    store.engine.put_session(session, now).await.unwrap();
    let invite = Invite {
        digest: [2; 32],
        email: address("guest"),
        role: Role::Owner,
        expires_at: now.plus(std::time::Duration::from_hours(1)),
    };
    store.engine.put_invite(invite).await.unwrap();
}

async fn amend(store: &TempStore, amendments: Vec<Amendment>) {
    let amend = Box::new(move |_: &_, _| Ok(amendments.clone()));
    store.engine.amend(amend).await.unwrap().unwrap();
}

async fn run(from: &Place, to: &Place, store: &TempStore) -> Result<Copied, CopyError> {
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    copy(from, to, clock, &mut |_| {}).await
}

/// Runs a copy until its progress first tells of `step`, and breaks it off there.
async fn broken_off(from: &Place, to: &Place, store: &TempStore, step: &str) {
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    let (seen, reached) = tokio::sync::oneshot::channel();
    let seen = Mutex::new(Some(seen));
    let mut watch = |progress: postern_store::Progress<'_>| {
        if progress.step.starts_with(step)
            && let Some(seen) = seen.lock().unwrap().take()
        {
            let _ = seen.send(());
        }
    };
    tokio::select! {
        biased;
        _ = reached => {}
        done = copy(from, to, clock, &mut watch) => panic!("it was not broken off: {done:?}"),
    }
}

async fn open(url: &str, store: &TempStore) -> Result<Arc<dyn Engine>, ConnectError> {
    let clock = Arc::clone(&store.clock) as Arc<dyn Clock>;
    connect(url, NodeId([9; 8]), clock, Tuning::default()).await
}

fn dir(path: &Path) -> Place {
    Place::Dir(path.to_owned())
}

fn file_url(path: &Path) -> String {
    format!("sqlite:{}", postern_store::store_file(path).display())
}

fn rows(tables: &[Tally], table: &str) -> u64 {
    let found = tables.iter().find(|tally| tally.table == table);
    found
        .unwrap_or_else(|| panic!("{table} was not copied"))
        .rows
}

/// Everything that callers, admins and the log see is the same in both.
async fn assert_alike(one: &dyn Engine, other: &dyn Engine, ids: &[AuthRequestId]) {
    let (here, there) = (
        one.snapshot().await.unwrap(),
        other.snapshot().await.unwrap(),
    );
    assert_eq!(here.revision, there.revision);
    assert_eq!((&here.clients, here.clients.len()), (&there.clients, 1));
    assert_eq!(here.settings.entries(), there.settings.entries());
    for id in ids {
        assert_eq!(
            one.find_auth_request(*id).await.unwrap(),
            other.find_auth_request(*id).await.unwrap()
        );
        assert_eq!(
            one.timeline(*id).await.unwrap(),
            other.timeline(*id).await.unwrap()
        );
    }
    let page = LogQuery {
        limit: 50,
        address: Some(address("Ada").key()),
        ..LogQuery::default()
    };
    let (here, there) = (
        one.log(page.clone()).await.unwrap(),
        other.log(page).await.unwrap(),
    );
    assert_eq!(
        format!("{:?}", here.entries),
        format!("{:?}", there.entries)
    );
    assert_eq!(here.entries.len(), 1);
    assert_eq!(
        one.sessions().await.unwrap(),
        other.sessions().await.unwrap()
    );
    assert_eq!(one.outbox().await.unwrap(), other.outbox().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_goes_to_the_other_engine_and_back_without_a_difference() {
    let (store, ids) = filled(None).await;
    let (from, url) = (dir(store.path()), Postgres::shared().database());
    let there = run(&from, &Place::Url(url.clone()), &store).await.unwrap();
    assert!(!there.resumed);
    assert_eq!(rows(&there.tables, "auth_requests"), 121);
    assert_eq!(
        rows(&there.tables, "address_sends"),
        121,
        "the log of sends is read too"
    );
    let shared = open(&url, &store).await.unwrap();
    assert_alike(store.engine.as_ref(), shared.as_ref(), &ids).await;

    let fresh = send_more(shared.as_ref(), &store, 700).await;
    while shared.project().await.unwrap() {}
    let back = tempfile::tempdir().unwrap();
    let folder = back.path().join("data");
    let again = run(&Place::Url(url), &dir(&folder), &store).await.unwrap();
    assert_eq!(rows(&again.tables, "auth_requests"), 122);
    let file = open(&file_url(&folder), &store).await.unwrap();
    assert_alike(shared.as_ref(), file.as_ref(), &ids).await;
    assert_alike(shared.as_ref(), file.as_ref(), &[fresh]).await;
    let spent = file.redeem(ids[0], false, accept()).await.unwrap();
    spent.outcome.unwrap_err();
    file.redeem(fresh, false, accept())
        .await
        .unwrap()
        .outcome
        .unwrap();
    file.close().await;
}

/// Opens one more request, and answers its id.
async fn send_more(engine: &dyn Engine, store: &TempStore, n: u16) -> AuthRequestId {
    let issue = issue(store, n, &address("new"));
    let id = issue.id;
    let opened = engine
        .open_auth_request(opening(issue, Settings::default(), None))
        .await;
    opened.unwrap().outcome.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_store_takes_nothing_and_does_not_open_until_the_fence_is_lifted() {
    let shared = Postgres::shared().database();
    for url in [None, Some(shared)] {
        let (store, ids) = filled(url.clone()).await;
        let back = tempfile::tempdir().unwrap();
        let (from, to) = match &url {
            None => (dir(store.path()), Place::Url(Postgres::shared().database())),
            Some(url) => (Place::Url(url.clone()), dir(&back.path().join("data"))),
        };
        run(&from, &to, &store).await.unwrap();
        let refused = store
            .engine
            .redeem(ids[60], false, accept())
            .await
            .unwrap_err();
        assert!(
            matches!(refused, postern_core::ports::StoreError::NotDone(_)),
            "{refused:?}"
        );
        store.engine.ping().await.unwrap_err();
        let address = url.clone().unwrap_or_else(|| file_url(store.path()));
        let told = open(&address, &store).await.err().unwrap().to_string();
        assert!(told.contains("postern store lift"), "{told}");

        let (lifted, ended) = lift(&from, &*store.clock).await.unwrap().unwrap();
        let ended = (
            ended.auth_requests,
            ended.admin_sessions,
            ended.admin_invites,
        );
        assert_eq!(ended, (81, 1, 1));
        assert_eq!(store.engine.find_session([1; 32]).await.unwrap(), None);
        assert_eq!(store.engine.find_invite([2; 32]).await.unwrap(), None);
        assert_eq!(
            (lifted.kind, lifted.other),
            (FenceKind::CopiedAway, to.shown())
        );
        store.engine.ping().await.unwrap();
        // It may have been used in the copy meanwhile.
        let open = store.engine.find_auth_request(ids[60]).await.unwrap();
        assert!(open.unwrap().expires_at <= store.clock.now());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_broken_off_goes_on_and_takes_in_what_changed_meanwhile() {
    let (store, ids) = filled(None).await;
    let url = Postgres::shared().database();
    let (from, to) = (dir(store.path()), Place::Url(url.clone()));
    broken_off(&from, &to, &store, "copying events").await;
    let half = open(&url, &store).await.err().unwrap();
    assert!(half.to_string().contains("is not finished"), "{half}");
    lift(&to, &*store.clock).await.unwrap_err();

    broken_off(&from, &to, &store, "copying log_refusals").await;
    let used = store.engine.redeem(ids[70], false, accept()).await.unwrap();
    used.outcome.unwrap();
    let fresh = send_more(store.engine.as_ref(), &store, 800).await;
    store.engine.forget_address(&address("a5")).await.unwrap();
    store.project().await;
    let copied = run(&from, &to, &store).await.unwrap();
    assert!(copied.resumed);
    let shared = open(&url, &store).await.unwrap();
    assert_alike(store.engine.as_ref(), shared.as_ref(), &ids).await;
    assert_alike(store.engine.as_ref(), shared.as_ref(), &[fresh]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_an_empty_store_or_its_own_half_of_this_copy_is_filled() {
    let (store, _) = filled(None).await;
    let (other, _) = filled(None).await;
    let (used, _) = filled(Some(Postgres::shared().database())).await;
    used.engine.close().await;
    let url = Postgres::shared().database();
    let (from, to) = (dir(store.path()), Place::Url(url.clone()));
    broken_off(&from, &to, &store, "copying events").await;
    let told = run(&dir(other.path()), &to, &store)
        .await
        .unwrap_err()
        .to_string();
    assert!(told.contains("is not finished"), "{told}");
    run(&from, &to, &store).await.unwrap();
    for full in [&to, &Place::Url(url)] {
        let told = run(&dir(other.path()), full, &store)
            .await
            .unwrap_err()
            .to_string();
        assert!(told.contains("not empty"), "{told}");
    }
    let away = Place::Url(Postgres::shared().database());
    let told = run(&from, &away, &store).await.unwrap_err().to_string();
    assert!(told.contains("cannot be copied"), "{told}");
    let alike = run(&from, &dir(other.path()), &store).await.unwrap_err();
    assert!(alike.to_string().contains("postern backup"), "{alike}");
}
