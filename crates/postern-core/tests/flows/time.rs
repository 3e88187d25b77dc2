use crate::world::{World, code_of};

#[tokio::test]
async fn a_code_works_in_its_last_second_and_not_after() {
    let world = World::new().await;
    let (early, late) = (
        world.send("ada@example.com").await,
        world.send("bob@example.com").await,
    );
    let (early_code, late_code) = (
        world.mailed(&early).await.code,
        world.mailed(&late).await.code,
    );
    world.advance(299);
    assert!(world.verify(&early, &early_code).await.is_ok());
    world.advance(1);
    let expired = world.verify(&late, &late_code).await.unwrap_err();
    assert_eq!(expired.code(), "AUTH_REQUEST_EXPIRED");
    assert!(expired.to_string().contains("auth request expired"));
}

#[tokio::test]
async fn expiry_waits_for_no_sweeper_and_the_sweeper_tells_of_it_once() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let code = world.mailed(&receipt).await.code;
    world.advance(301);
    assert_eq!(
        code_of(world.verify(&receipt, &code).await),
        "AUTH_REQUEST_EXPIRED"
    );
    world.sweep().await;
    world.sweep().await;
    assert_eq!(
        world.steps(&receipt).await,
        ["initiated", "mail_queued", "expired"]
    );
}

#[tokio::test]
async fn a_clock_that_steps_back_opens_nothing_again() {
    let world = World::strict().await;
    world.send("ada@example.com").await;
    world.send("ada@example.com").await;
    world.step_back(30);
    assert_eq!(
        code_of(world.try_send(World::input("ada@example.com")).await),
        "RATE_LIMITED"
    );
    let receipt = world.send("bob@example.com").await;
    let before = world.request(&receipt).await;
    world.step_back(100);
    world.resend(&receipt).await.unwrap();
    let after = world.request(&receipt).await;
    assert!(after.expires_at >= before.expires_at && after.generation_at >= before.generation_at);
}

#[tokio::test]
async fn what_is_older_than_its_retention_is_removed() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.advance(8 * 86_400);
    world.sweep().await;
    assert!(
        world
            .store
            .engine
            .find_auth_request(World::id(&receipt))
            .await
            .unwrap()
            .is_none()
    );
    assert!(!world.steps(&receipt).await.is_empty());
    world.advance(91 * 86_400);
    world.sweep().await;
    assert!(world.steps(&receipt).await.is_empty());
}
