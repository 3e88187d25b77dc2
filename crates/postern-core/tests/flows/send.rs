use postern_core::flow::SendInput;
use postern_core::model::Method;

use crate::world::{World, code_of};

fn fields(error: &postern_core::Error) -> Vec<String> {
    error
        .violations()
        .iter()
        .map(|violation| violation.field.clone())
        .collect()
}

#[tokio::test]
async fn a_send_answers_what_it_mailed_and_when_it_expires() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    assert_eq!(receipt.method, Method::Otp);
    assert_eq!(receipt.expires_in.as_secs(), 300);
    assert_eq!(
        receipt.expires_at,
        world.postern.now().plus(receipt.expires_in)
    );
    assert_eq!(receipt.auth_request_id.expose().len(), 44);
    assert_eq!(world.steps(&receipt).await, ["initiated", "mail_queued"]);
}

#[tokio::test]
async fn every_offending_field_is_named_at_once() {
    let world = World::with(&[("passwordless_type", "LINK")]).await;
    let input = SendInput {
        email: "not an address".into(),
        template: Some(9),
        magiclink_auth_uri: None,
        state: Some("x".repeat(1001)),
        expires_in: Some(59),
        template_variables: vec![("otp".into(), "1".into()), ("x".into(), String::new())],
        ..SendInput::default()
    };
    let error = world.try_send(input).await.unwrap_err();
    let expected = [
        "email",
        "template",
        "state",
        "magiclink_auth_uri",
        "expires_in",
        "template_variables.otp",
        "template_variables.x",
    ];
    assert_eq!(fields(&error), expected);
    assert!(error.to_string().contains("magiclink_auth_uri is required"));
}

#[tokio::test]
async fn an_asked_lifetime_is_echoed_inside_its_range_and_refused_outside() {
    let world = World::new().await;
    for seconds in [60, 1800, 3600] {
        let input = SendInput {
            expires_in: Some(seconds),
            ..World::input("ada@example.com")
        };
        assert_eq!(
            world.try_send(input).await.unwrap().expires_in.as_secs(),
            u64::from(seconds)
        );
    }
    for seconds in [0, 59, 3601, u32::MAX] {
        let input = SendInput {
            expires_in: Some(seconds),
            ..World::input("ada@example.com")
        };
        assert_eq!(code_of(world.try_send(input).await), "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn empty_optional_texts_count_as_absent() {
    let world = World::new().await;
    let input = SendInput {
        state: Some(String::new()),
        magiclink_auth_uri: Some(String::new()),
        ..World::input("ada@example.com")
    };
    let receipt = world.try_send(input).await.unwrap();
    let mailed = world.mailed(&receipt).await;
    assert_eq!(
        world.verify(&receipt, &mailed.code).await.unwrap().state,
        None
    );
}

#[tokio::test]
async fn a_template_that_names_an_unsupplied_variable_is_refused_by_its_name() {
    let world = World::needing(&["order_id"]).await;
    let error = world
        .try_send(World::input("ada@example.com"))
        .await
        .unwrap_err();
    assert_eq!(fields(&error), ["template_variables.order_id"]);
    let supplied = vec![("order_id".to_owned(), "7".to_owned())];
    let input = SendInput {
        template_variables: supplied,
        ..World::input("ada@example.com")
    };
    assert!(world.try_send(input).await.is_ok());
}

#[tokio::test]
async fn nothing_is_sent_while_disabled_or_without_a_way_to_mail() {
    let disabled = World::with(&[("enabled", "false")]).await;
    assert_eq!(
        code_of(disabled.try_send(World::input("ada@example.com")).await),
        "METHOD_DISABLED"
    );
    let unmailed = World::without_mail().await;
    assert_eq!(
        code_of(unmailed.try_send(World::input("ada@example.com")).await),
        "MAIL_NOT_CONFIGURED"
    );
}

#[tokio::test]
async fn type_length_alphabet_and_lifetime_are_frozen_at_send() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let changes = [
        ("passwordless_type", "LINK"),
        ("code_length", "8"),
        ("code_alphabet", "ALPHANUMERIC"),
        ("expires_in", "60"),
    ];
    world.set(&changes).await;
    world.advance(200);
    let mailed = world.mailed(&receipt).await;
    assert_eq!(mailed.code.len(), 6);
    let again = world.resend(&receipt).await.unwrap();
    assert_eq!(
        (again.method, again.expires_in.as_secs()),
        (Method::Otp, 300)
    );
    let newest = world.mailed(&again).await;
    assert!(world.verify(&receipt, &newest.code).await.is_ok());
}

#[tokio::test]
async fn the_same_send_twice_is_two_requests_and_two_mails() {
    let world = World::new().await;
    let (first, second) = (
        world.send("ada@example.com").await,
        world.send("ada@example.com").await,
    );
    assert_ne!(World::id(&first), World::id(&second));
    let codes = [
        world.mailed(&first).await.code,
        world.mailed(&second).await.code,
    ];
    assert!(world.verify(&first, &codes[0]).await.is_ok());
    assert!(world.verify(&second, &codes[1]).await.is_ok());
}
