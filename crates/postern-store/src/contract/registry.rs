//! Settings, clients, providers and signing keys.

use postern_core::Error;
use postern_core::model::{
    Client, ClientId, ClientSecret, DkimAlgorithm, DkimKey, HookProvider, MailHook, MailProvider,
    Sealed, SigningKey, SigningState, Snapshot, TlsMode, TokenSource,
};
use postern_core::ports::{Amendment, Clock as _};

use super::race;
use crate::testing::TempStore;

fn client(store: &TempStore, id: &str) -> Client {
    let secret = |n: u8, expires_at| ClientSecret {
        digest: [n; 32],
        created_at: store.clock.now(),
        expires_at,
    };
    Client {
        id: ClientId::parse(id).expect("it is well formed"),
        name: "An app".into(),
        created_at: store.clock.now(),
        secrets: vec![secret(2, None), secret(1, Some(store.clock.now()))],
    }
}

fn provider(name: &str, position: u16) -> MailProvider {
    MailProvider {
        name: name.into(),
        position,
        host: "mx.example.com".into(),
        port: 465,
        tls: TlsMode::Implicit,
        username: Some("u".into()),
        password: Some(Sealed {
            kid: 4,
            bytes: vec![1, 2],
        }),
        oauth: Some(TokenSource {
            url: "https://tokens.example.com/t".into(),
            client_id: "c".into(),
            scope: Some("s".into()),
        }),
        from: "App <a@example.com>".into(),
        reply_to: Some("help@example.com".into()),
        connections: Some(3),
        per_minute: Some(30),
    }
}

fn signing_key(store: &TempStore, kid: &str, state: SigningState) -> SigningKey {
    SigningKey {
        kid: kid.into(),
        state,
        private: Sealed {
            kid: 5,
            bytes: vec![3],
        },
        modulus: vec![4; 256],
        exponent: vec![1, 0, 1],
        created_at: store.clock.now(),
        retired_at: (state == SigningState::Retired).then(|| store.clock.now()),
    }
}

fn dkim_key(store: &TempStore, selector: &str, algorithm: DkimAlgorithm) -> DkimKey {
    DkimKey {
        domain: "example.com".into(),
        selector: selector.into(),
        algorithm,
        private: Sealed {
            kid: 6,
            bytes: vec![5],
        },
        public: vec![6; 32],
        created_at: store.clock.now(),
    }
}

async fn amend(store: &TempStore, amendments: Vec<Amendment>) -> Result<Snapshot, Error> {
    store
        .engine
        .amend(Box::new(move |_, _| Ok(amendments.clone())))
        .await
        .unwrap()
}

fn setting(name: &str, value: &str) -> Amendment {
    Amendment::PutSetting {
        name: name.into(),
        value: value.into(),
    }
}

/// All of it in one commit, and the answer is what a later read finds.
pub async fn an_amendment_reads_back_with_the_next_revision(store: TempStore) {
    let empty = store.engine.snapshot().await.unwrap();
    assert_eq!(
        (empty.revision, empty.clients.len()),
        (store.engine.revision().await.unwrap(), 0)
    );
    let mut unprotected = provider("b", 0);
    (unprotected.tls, unprotected.username, unprotected.password) = (TlsMode::None, None, None);
    (unprotected.oauth, unprotected.reply_to) = (None, None);
    (unprotected.connections, unprotected.per_minute) = (None, None);
    let keys = [
        signing_key(&store, "snk_1", SigningState::Active),
        signing_key(&store, "snk_2", SigningState::Retired),
    ];
    let mut amendments = vec![
        setting("code_length", "8"),
        Amendment::PutClient(client(&store, "skc_1")),
        Amendment::PutProvider(provider("a", 1)),
        Amendment::PutProvider(unprotected.clone()),
        Amendment::PutHook(hook()),
    ];
    amendments.extend(keys.clone().map(Amendment::PutSigningKey));
    let dkim = [
        dkim_key(&store, "a", DkimAlgorithm::Rsa),
        dkim_key(&store, "b", DkimAlgorithm::Ed25519),
    ];
    amendments.extend(dkim.clone().map(Amendment::PutDkimKey));
    let after = amend(&store, amendments).await.unwrap();
    let read = store.engine.snapshot().await.unwrap();
    for snapshot in [after, read] {
        assert_eq!(
            (snapshot.revision, snapshot.settings.code_length),
            (empty.revision + 1, 8)
        );
        assert_eq!(
            snapshot.clients[&client(&store, "skc_1").id],
            client(&store, "skc_1")
        );
        assert_eq!(snapshot.providers, [unprotected.clone(), provider("a", 1)]);
        assert_eq!(snapshot.hooks, [hook()]);
        assert_eq!(snapshot.signing_keys, keys);
        assert_eq!(snapshot.dkim_keys, dkim);
    }
    assert_eq!(store.engine.revision().await.unwrap(), empty.revision + 1);
}

fn hook() -> MailHook {
    MailHook {
        provider: HookProvider::Mailgun,
        secret: Sealed {
            kid: 3,
            bytes: vec![1, 2, 3],
        },
    }
}

/// The rule's refusal comes back and nothing is written.
pub async fn a_refused_amendment_writes_nothing(store: TempStore) {
    let before = store.engine.revision().await.unwrap();
    let refused = store
        .engine
        .amend(Box::new(|_, _| Err(Error::MethodDisabled)))
        .await
        .unwrap();
    assert_eq!(refused.unwrap_err().code(), "METHOD_DISABLED");
    assert_eq!(store.engine.revision().await.unwrap(), before);
}

/// Each amendment sees the one before it.
pub async fn parallel_amendments_lose_none(store: TempStore) {
    let before = store.engine.revision().await.unwrap();
    let one_more = |seen: &Snapshot, _| {
        let next = seen.settings.guess_budget + 1;
        Ok(vec![setting("guess_budget", &next.to_string())])
    };
    race(&store, 12, |engine, _| async move {
        engine.amend(Box::new(one_more)).await.unwrap().unwrap()
    })
    .await;
    let after = store.engine.snapshot().await.unwrap();
    assert_eq!(
        (after.revision, after.settings.guess_budget),
        (before + 12, 112)
    );
}

/// A drop takes all of a thing, and a put replaces all of it.
pub async fn what_is_dropped_is_gone(store: TempStore) {
    let one = client(&store, "skc_1");
    let rotated = Client {
        secrets: one.secrets[..1].to_vec(),
        ..one.clone()
    };
    let put = vec![
        Amendment::PutClient(one.clone()),
        Amendment::PutClient(client(&store, "skc_2")),
        Amendment::PutProvider(provider("a", 0)),
        Amendment::PutHook(hook()),
        Amendment::PutSigningKey(signing_key(&store, "snk_1", SigningState::Standby)),
        Amendment::PutDkimKey(dkim_key(&store, "a", DkimAlgorithm::Rsa)),
        Amendment::PutDkimKey(dkim_key(&store, "b", DkimAlgorithm::Rsa)),
    ];
    amend(&store, put).await.unwrap();
    let drop = vec![
        Amendment::PutClient(rotated.clone()),
        Amendment::DropClient(ClientId::parse("skc_2").expect("it is well formed")),
        Amendment::DropProvider("a".into()),
        Amendment::DropHook(HookProvider::Mailgun),
        Amendment::DropSigningKey("snk_1".into()),
        Amendment::PutDkimKey(dkim_key(&store, "b", DkimAlgorithm::Ed25519)),
        Amendment::DropDkimKey {
            domain: "example.com".into(),
            selector: "a".into(),
        },
    ];
    let after = amend(&store, drop).await.unwrap();
    assert_eq!(after.clients.into_values().collect::<Vec<_>>(), [rotated]);
    assert_eq!((after.providers.len(), after.signing_keys.len()), (0, 0));
    assert_eq!(after.hooks, []);
    let replaced = dkim_key(&store, "b", DkimAlgorithm::Ed25519);
    assert_eq!(after.dkim_keys, [replaced]);
}
