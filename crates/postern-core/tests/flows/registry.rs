use std::time::Duration;

use postern_core::flow::ProviderInput;
use postern_core::model::{SecretText, TlsMode};

use crate::world::{World, code_of};

fn provider(name: &str) -> ProviderInput {
    ProviderInput {
        name: name.to_owned(),
        host: "smtp.example.com".to_owned(),
        port: 587,
        tls: TlsMode::StartTls,
        username: Some("user".to_owned()),
        password: Some(SecretText::new("password-in-plain")),
        from: "App <app@example.com>".to_owned(),
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
        .rotate_client(&first.id, Duration::from_secs(100))
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
        .rotate_client(&first.id, Duration::ZERO)
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
async fn a_providers_password_rests_sealed_and_a_second_provider_waits_its_turn() {
    let world = World::without_mail().await;
    world.postern.put_provider(provider("first")).await.unwrap();
    assert!(
        world
            .try_send(World::input("ada@example.com"))
            .await
            .is_ok()
    );
    assert!(!String::from_utf8_lossy(&world.files_on_disk()).contains("password-in-plain"));
    assert_eq!(
        code_of(world.postern.put_provider(provider("second")).await),
        "INVALID_ARGUMENT"
    );
    world.postern.drop_provider("first").await.unwrap();
    assert_eq!(
        code_of(world.try_send(World::input("ada@example.com")).await),
        "MAIL_NOT_CONFIGURED"
    );
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
