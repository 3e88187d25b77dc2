use postern_core::flow::SendInput;
use postern_testkit::smtp::{Act, Step};

use super::world::World;

async fn send_again(world: &World) -> &'static str {
    let input = SendInput {
        email: "Ada@example.com".to_owned(),
        ..SendInput::default()
    };
    let sent = world.postern.send(&world.caller, input).await;
    sent.map_or_else(|error| error.code(), |_| "OK")
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_enters_the_suppression_list() {
    let world = World::new().await;
    let said = "5.1.1 <ada@example.com>: user unknown".to_owned();
    world.smtp.once(Step::Rcpt, Act::Reply(550, said));
    world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    assert_eq!(send_again(&world).await, "ADDRESS_SUPPRESSED");
    let now = world.postern.now();
    let listed = world.postern.suppressions(None, 10).await.unwrap();
    assert_eq!(
        listed[0].until,
        Some(now.plus(std::time::Duration::from_hours(7 * 24)))
    );
    assert!(listed[0].detail.contains("5.1.1") && !listed[0].detail.contains('@'));
}

#[tokio::test]
async fn a_mail_that_was_refused_for_another_reason_does_not() {
    let world = World::new().await;
    let said = "5.7.1 blocked".to_owned();
    world.smtp.once(Step::Rcpt, Act::Reply(550, said));
    world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    assert_eq!(send_again(&world).await, "OK");
}
