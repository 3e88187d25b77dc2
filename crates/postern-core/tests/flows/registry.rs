use std::time::Duration;

use postern_core::flow::{DkimName, MAX_PROVIDERS, ProviderInput};
use postern_core::model::{
    DkimAlgorithm, DkimKey, Sealed, SecretText, Timestamp, TlsMode, TokenSource,
};

use crate::world::{World, code_of};

fn provider(name: &str) -> ProviderInput {
    ProviderInput {
        username: Some("user".to_owned()),
        password: Some(SecretText::new("password-in-plain")),
        ..ProviderInput::plain(
            name,
            "smtp.example.com",
            587,
            TlsMode::StartTls,
            "App <app@example.com>",
        )
    }
}

#[tokio::test]
async fn a_client_is_known_by_its_secret_and_by_nothing_else() {
    let world = World::new().await;
    let made = world.postern.create_client("shop").await.unwrap();
    let caller = world
        .postern
        .authenticate(made.id.as_str(), made.secret.expose())
        .unwrap();
    assert_eq!(caller.client, made.id);
    for (id, secret) in [
        (made.id.as_str(), "wrong"),
        ("skc_9", made.secret.expose()),
        ("", ""),
    ] {
        assert_eq!(
            code_of(world.postern.authenticate(id, secret)),
            "UNAUTHENTICATED"
        );
    }
    assert!(!String::from_utf8_lossy(&world.files_on_disk()).contains(made.secret.expose()));
}

#[tokio::test]
async fn a_rotated_secret_stays_valid_for_its_overlap() {
    let world = World::new().await;
    let first = world.postern.create_client("shop").await.unwrap();
    let second = world
        .postern
        .rotate_client(&first.id, Duration::from_secs(100), None)
        .await
        .unwrap();
    let works = |secret: &SecretText| {
        world
            .postern
            .authenticate(first.id.as_str(), secret.expose())
            .is_ok()
    };
    assert!(works(&first.secret) && works(&second.secret));
    world.advance(100);
    assert!(!works(&first.secret) && works(&second.secret));
    let third = world
        .postern
        .rotate_client(&first.id, Duration::ZERO, None)
        .await
        .unwrap();
    assert!(!works(&second.secret) && works(&third.secret));
}

#[tokio::test]
async fn a_revoked_client_is_unknown_at_once() {
    let world = World::new().await;
    let made = world.postern.create_client("shop").await.unwrap();
    world.postern.revoke_client(&made.id).await.unwrap();
    assert_eq!(
        code_of(
            world
                .postern
                .authenticate(made.id.as_str(), made.secret.expose())
        ),
        "UNAUTHENTICATED"
    );
    assert_eq!(
        code_of(world.postern.revoke_client(&made.id).await),
        "INVALID_ARGUMENT"
    );
}

#[tokio::test]
async fn settings_are_changed_together_or_not_at_all() {
    let world = World::new().await;
    let changes = vec![
        ("code_length".to_owned(), "8".to_owned()),
        ("expires_in".to_owned(), "1s".to_owned()),
    ];
    assert_eq!(
        code_of(world.postern.change_settings(changes).await),
        "INVALID_ARGUMENT"
    );
    assert_eq!(world.postern.snapshot().settings.code_length, 6);
    world.set(&[("code_length", "8")]).await;
    let stored = world.postern.store().snapshot().await.unwrap();
    assert_eq!(stored.settings.code_length, 8);
}

#[tokio::test]
async fn a_providers_password_rests_sealed_and_without_a_provider_nothing_is_sent() {
    let world = World::without_mail().await;
    world.postern.put_provider(provider("first")).await.unwrap();
    assert!(
        world
            .try_send(World::input("ada@example.com"))
            .await
            .is_ok()
    );
    assert!(!String::from_utf8_lossy(&world.files_on_disk()).contains("password-in-plain"));
    world.postern.drop_provider("first").await.unwrap();
    assert_eq!(
        code_of(world.try_send(World::input("ada@example.com")).await),
        "MAIL_NOT_CONFIGURED"
    );
}

fn names(world: &World) -> Vec<String> {
    let held = world.postern.snapshot();
    held.providers.iter().map(|one| one.name.clone()).collect()
}

#[tokio::test]
async fn providers_keep_the_order_in_which_they_came_until_another_one_is_set() {
    let world = World::without_mail().await;
    for name in ["a", "b", "c"] {
        world.postern.put_provider(provider(name)).await.unwrap();
    }
    let order = ["c", "a"].map(str::to_owned).to_vec();
    world.postern.order_providers(order).await.unwrap();
    assert_eq!(names(&world), ["c", "a", "b"]);
    world.postern.put_provider(provider("a")).await.unwrap();
    world.postern.drop_provider("c").await.unwrap();
    world.postern.put_provider(provider("d")).await.unwrap();
    assert_eq!(names(&world), ["a", "b", "d"]);
    for wrong in [&["a", "a"][..], &["x"]] {
        let order = wrong.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            code_of(world.postern.order_providers(order).await),
            "INVALID_ARGUMENT"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_changed_keeps_its_password_for_its_own_server_only() {
    let world = World::without_mail().await;
    world.postern.put_provider(provider("a")).await.unwrap();
    let held = || world.postern.snapshot().providers[0].clone();
    let sealed = held().password;
    let without = || ProviderInput {
        password: None,
        ..provider("a")
    };
    let renamed = ProviderInput {
        from: "tea@example.com".into(),
        ..without()
    };
    world.postern.change_provider(renamed).await.unwrap();
    assert_eq!(
        (held().from.as_str(), held().password),
        ("tea@example.com", sealed)
    );
    for elsewhere in [
        ProviderInput {
            host: "smtp.evil.example".into(),
            ..without()
        },
        ProviderInput {
            tls: TlsMode::Implicit,
            ..without()
        },
    ] {
        let error = world.postern.change_provider(elsewhere).await.unwrap_err();
        assert_eq!(error.violations()[0].field, "password");
    }
    let open = ProviderInput {
        username: None,
        ..without()
    };
    world.postern.change_provider(open).await.unwrap();
    assert_eq!(held().password, None);
    let unknown = world.postern.change_provider(provider("b")).await;
    assert_eq!(code_of(unknown), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn the_audit_tells_that_a_password_was_replaced() {
    let world = World::without_mail().await;
    for _ in 0..2 {
        world.postern.put_provider(provider("a")).await.unwrap();
    }
    let audit = world.postern.store().audit(None, 1).await.unwrap();
    assert!(audit[0].1.after.ends_with("password replaced"), "{audit:?}");
}

#[tokio::test]
async fn there_are_no_more_providers_than_the_bound() {
    let world = World::without_mail().await;
    for number in 0..MAX_PROVIDERS {
        let one = provider(&format!("p{number}"));
        world.postern.put_provider(one).await.unwrap();
    }
    assert_eq!(
        code_of(world.postern.put_provider(provider("more")).await),
        "INVALID_ARGUMENT"
    );
    assert!(world.postern.put_provider(provider("p3")).await.is_ok());
}

type Spoil = fn(&mut ProviderInput, &dyn Fn(&str) -> TokenSource);

#[tokio::test]
async fn a_provider_that_could_not_work_is_refused_by_field() {
    let world = World::without_mail().await;
    let oauth = |url: &str| TokenSource {
        url: url.to_owned(),
        client_id: "id".to_owned(),
        scope: None,
    };
    let wrong: [(&str, Spoil); 7] = [
        ("reply_to", |one, _| one.reply_to = Some("nobody".into())),
        ("connections", |one, _| one.connections = Some(0)),
        ("per_minute", |one, _| one.per_minute = Some(600_001)),
        ("password", |one, _| one.password = None),
        ("token_url", |one, from| {
            one.oauth = Some(from("http://tokens.example.com/"));
        }),
        ("token_url", |one, from| {
            one.oauth = Some(from("https://u:p@tokens.example.com/"));
        }),
        ("username", |one, from| {
            (one.oauth, one.username) = (Some(from("https://tokens.example.com/")), None);
        }),
    ];
    for (field, spoil) in wrong {
        let mut input = provider("a");
        spoil(&mut input, &oauth);
        let error = world.postern.put_provider(input).await.unwrap_err();
        assert_eq!(error.violations()[0].field, field);
    }
    let local = ProviderInput {
        oauth: Some(oauth("http://127.0.0.1:9/token")),
        ..provider("a")
    };
    assert!(world.postern.put_provider(local).await.is_ok());
}

#[tokio::test]
async fn an_unsafe_or_malformed_provider_is_refused_by_field() {
    let world = World::new().await;
    let bad = ProviderInput {
        tls: TlsMode::None,
        from: "no address".into(),
        port: 0,
        ..provider("x y")
    };
    let error = world.postern.put_provider(bad).await.unwrap_err();
    let fields: Vec<_> = error
        .violations()
        .iter()
        .map(|v| v.field.as_str())
        .collect();
    assert_eq!(fields, ["name", "port", "from", "tls"]);
    let local = ProviderInput {
        tls: TlsMode::None,
        host: "127.0.0.1".into(),
        ..provider("local")
    };
    assert!(world.postern.put_provider(local).await.is_ok());
}

fn dkim_key(domain: &str, selector: &str) -> DkimKey {
    DkimKey {
        domain: domain.to_owned(),
        selector: selector.to_owned(),
        algorithm: DkimAlgorithm::Ed25519,
        private: Sealed {
            kid: 1,
            bytes: vec![1],
        },
        public: vec![2; 32],
        created_at: Timestamp::from_unix_seconds(1_795_379_460),
    }
}

#[tokio::test]
async fn a_domain_has_at_most_four_dkim_keys_each_with_a_selector_of_its_own() {
    let world = World::new().await;
    let add = |selectors: &[&str]| {
        let keys = selectors.iter().map(|one| dkim_key("example.com", one));
        world.postern.add_dkim_keys(keys.collect())
    };
    add(&["a", "b", "c"]).await.unwrap();
    assert_eq!(code_of(add(&["a"]).await), "INVALID_ARGUMENT");
    assert_eq!(
        code_of(add(&["d", "e"]).await),
        "INVALID_ARGUMENT",
        "all or none"
    );
    add(&["d"]).await.unwrap();
    assert_eq!(code_of(add(&["e"]).await), "INVALID_ARGUMENT");
    let name = || DkimName::parse("example.com", "A").unwrap();
    world.postern.drop_dkim_key(name()).await.unwrap();
    assert_eq!(
        code_of(world.postern.drop_dkim_key(name()).await),
        "INVALID_ARGUMENT"
    );
    let other = vec![dkim_key("example.org", "a")];
    world.postern.add_dkim_keys(other).await.unwrap();
    let held = world.postern.snapshot();
    assert_eq!(held.dkim_keys_of("example.com").count(), 3);

    let audit = world.store.engine.audit(None, 2).await.unwrap();
    let told: Vec<_> = audit
        .iter()
        .map(|(_, one)| {
            (
                one.action.as_str(),
                one.target.as_str(),
                one.before.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("dkim_key.put", "a._domainkey.example.org", ""),
            (
                "dkim_key.drop",
                "a._domainkey.example.com",
                "ed25519, made at 1795379460"
            )
        ]
    );
}
