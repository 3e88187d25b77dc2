use crate::world::{World, code_of};

#[tokio::test]
async fn a_resend_keeps_the_request_id_and_restarts_the_lifetime() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.advance(200);
    let again = world.resend(&receipt).await.unwrap();
    assert_eq!(again.auth_request_id, receipt.auth_request_id);
    assert_eq!(again.expires_at, world.postern.now().plus(again.expires_in));
    assert_eq!(
        world.steps(&receipt).await,
        ["initiated", "mail_queued", "resent", "mail_queued"]
    );
}

#[tokio::test]
async fn regeneration_supersedes_the_older_code_and_link() {
    let world = World::with(&[("passwordless_type", "LINK_OTP")]).await;
    let receipt = world.send("ada@example.com").await;
    let older = world.mailed(&receipt).await;
    let again = world.resend(&receipt).await.unwrap();
    assert_eq!(
        code_of(world.verify(&receipt, &older.code).await),
        "CODE_SUPERSEDED"
    );
    assert_eq!(
        code_of(world.verify_link(&older.link, None).await),
        "LINK_SUPERSEDED"
    );
    let newest = world.mailed(&again).await;
    assert!(world.verify(&receipt, &newest.code).await.is_ok());
}

#[tokio::test]
async fn without_regeneration_the_same_code_is_mailed_again_until_it_expires() {
    let world = World::with(&[("regenerate_on_resend", "false")]).await;
    let receipt = world.send("ada@example.com").await;
    let first = world.mailed(&receipt).await.code;
    world.advance(299);
    let again = world.resend(&receipt).await.unwrap();
    assert_eq!(world.mailed(&again).await.code, first);
    world.advance(300);
    let late = world.resend(&receipt).await.unwrap();
    assert_ne!(world.mailed(&late).await.code, first);
    assert_eq!(
        code_of(world.verify(&receipt, &first).await),
        "CODE_SUPERSEDED"
    );
}

#[tokio::test]
async fn an_expired_request_can_be_resent_and_then_verified() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.advance(3_000);
    let again = world.resend(&receipt).await.unwrap();
    let code = world.mailed(&again).await.code;
    assert!(world.verify(&receipt, &code).await.is_ok());
}

#[tokio::test]
async fn a_resend_gives_no_attempt_back() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    for n in 0..4 {
        let wrong = world.wrong(&receipt, n).await;
        world.verify(&receipt, &wrong).await.unwrap_err();
        world.resend(&receipt).await.unwrap();
    }
    let wrong = world.wrong(&receipt, 9).await;
    let last = world.verify(&receipt, &wrong).await.unwrap_err();
    assert!(last.to_string().contains("no attempts are left"), "{last}");
    assert_eq!(code_of(world.resend(&receipt).await), "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn after_ten_resends_or_a_day_the_answer_is_to_start_again() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    for _ in 0..10 {
        world.resend(&receipt).await.unwrap();
    }
    assert_eq!(code_of(world.resend(&receipt).await), "START_AGAIN");
    let other = world.send("bob@example.com").await;
    world.advance(86_400);
    assert_eq!(code_of(world.resend(&other).await), "START_AGAIN");
}

#[tokio::test]
async fn a_link_whose_origin_is_no_longer_allowed_is_not_mailed_again() {
    let world = World::with(&[("passwordless_type", "LINK")]).await;
    let receipt = world.send("ada@example.com").await;
    world
        .set(&[("link_origins", "https://other.example.com")])
        .await;
    assert_eq!(code_of(world.resend(&receipt).await), "INVALID_ARGUMENT");
}

#[tokio::test]
async fn a_request_id_that_is_missing_long_or_forged_is_refused_clearly() {
    let world = World::new().await;
    for (id, code) in [
        (String::new(), "INVALID_ARGUMENT"),
        ("x".repeat(201), "INVALID_ARGUMENT"),
        ("x".repeat(44), "AUTH_REQUEST_NOT_FOUND"),
    ] {
        let input = postern_core::flow::ResendInput {
            auth_request_id: id,
        };
        assert_eq!(
            code_of(world.postern.resend(&world.caller, input).await),
            code
        );
    }
}
