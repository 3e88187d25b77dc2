use postern_core::flow::SendInput;

use crate::world::World;

#[tokio::test]
async fn nothing_the_caller_passed_or_the_person_got_rests_in_plain_text() {
    let world = World::with(&[("passwordless_type", "LINK_OTP")]).await;
    let input = SendInput {
        state: Some("caller-state-in-plain".into()),
        magiclink_auth_uri: Some("https://app.example.com/uri-in-plain".into()),
        template_variables: vec![("greeting".into(), "variable-in-plain".into())],
        ..World::input("ada@example.com")
    };
    let receipt = world.try_send(input).await.unwrap();
    let mailed = world.mailed(&receipt).await;
    let wrong = world.wrong(&receipt, 0).await;
    world.verify(&receipt, &wrong).await.unwrap_err();
    let files = world.files_on_disk();
    for secret in [
        "caller-state-in-plain",
        "uri-in-plain",
        "variable-in-plain",
        &mailed.code,
        &wrong,
        &mailed.link,
        receipt.auth_request_id.expose(),
    ] {
        assert!(
            !files
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "{secret}"
        );
    }
}

#[tokio::test]
async fn a_request_is_still_verified_after_a_new_root_was_promoted() {
    let world = World::new().await;
    let input = SendInput {
        state: Some("kept".into()),
        ..World::input("ada@example.com")
    };
    let receipt = world.try_send(input).await.unwrap();
    let code = world.mailed(&receipt).await.code;
    world.rotate_to(2);
    let newer = world.send("bob@example.com").await;
    assert_eq!(world.request(&newer).await.kid, 2);
    assert_eq!(
        world
            .verify(&receipt, &code)
            .await
            .unwrap()
            .state
            .as_deref(),
        Some("kept")
    );
}
