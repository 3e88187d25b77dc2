mod chaos;
mod failover;
mod suppressed;
mod template;
mod world;

use mail_parser::MessageParser;
use postern_core::flow::ResendInput;
use postern_core::model::EventKind;
use postern_testkit::smtp::{Act, Received, Step};

use super::*;
use crate::mail::smtp::Limits;
use world::World;

fn message_id(mail: &Received) -> String {
    MessageParser::default()
        .parse(&mail.data)
        .unwrap()
        .message_id()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_send_is_mailed_at_once_and_its_code_verifies() {
    let world = World::new().await;
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    let mails = world.smtp.wait_for(1).await;
    assert_eq!(mails[0].to, ["ada@example.com"]);
    let code = world.code(&receipt).await;
    let text = MessageParser::default()
        .parse(&mails[0].data)
        .unwrap()
        .body_text(0)
        .unwrap()
        .into_owned();
    assert!(text.starts_with(&format!("{code} is your code")));
    assert_eq!(world.told(&receipt).await, ["sent after 1"]);
    world.verify(&receipt).await;
}

#[tokio::test]
async fn a_deferred_mail_is_tried_again_once_its_moment_has_come() {
    let world = World::new().await;
    world.smtp.once(Step::Rcpt, Act::reply(451));
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["deferred after 1"]);
    world.later(Duration::from_secs(3));
    world.attempted().await;
    assert_eq!(
        world.told(&receipt).await,
        ["deferred after 1", "sent after 2"]
    );
    assert_eq!(world.smtp.count(), 1);
}

#[tokio::test]
async fn the_time_to_sent_counts_from_the_queueing_on() {
    let world = World::new().await;
    world.smtp.once(Step::Rcpt, Act::reply(451));
    world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    world.later(Duration::from_secs(3));
    world.attempted().await;
    let gauges = crate::telemetry::metrics::Gauges::default();
    let told = world.metrics.render(gauges);
    let sum = "postern_mail_time_to_sent_seconds_sum 3.0\n";
    assert!(told.contains(sum), "{told}");
}

#[tokio::test]
async fn a_refused_recipient_is_final() {
    let world = World::new().await;
    world.smtp.once(Step::Rcpt, Act::reply(550));
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    world.later(Duration::from_mins(1));
    world.send_and_ring("bob@example.com").await;
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["bounced"]);
    assert_eq!(world.smtp.wait_for(1).await[0].to, ["bob@example.com"]);
}

#[tokio::test]
async fn a_lost_answer_to_data_is_repeated_as_the_same_message() {
    for act in [Act::AcceptAndDrop, Act::Drop] {
        let world = World::new().await;
        world.smtp.once(Step::EndOfData, act.clone());
        let receipt = world.send_and_ring("ada@example.com").await;
        world.attempted().await;
        world.later(Duration::from_secs(3));
        world.attempted().await;
        assert_eq!(
            world.told(&receipt).await,
            ["deferred after 1", "sent after 2"]
        );
        let mails = world.smtp.received();
        let ids: Vec<String> = mails.iter().map(message_id).collect();
        assert!(
            ids.iter()
                .all(|id| *id == format!("{}@acme.example", receipt.delivery)),
            "{ids:?}"
        );
        assert_eq!(mails.len(), if act == Act::Drop { 1 } else { 2 });
    }
}

#[tokio::test]
async fn trouble_of_the_provider_is_tried_again_and_fails_when_the_credential_ends() {
    let world = World::new().await;
    world.smtp.always(Step::Mail, Act::reply(550));
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    while let Some(due_at) = world.due_at(&receipt).await {
        world.store.clock.set(due_at);
        world.outbox.bell().poll();
        world.attempted().await;
    }
    let told = world.told(&receipt).await;
    let (last, earlier) = told.split_last().unwrap();
    assert_eq!(last, "failed");
    assert!(
        earlier.len() > 2 && earlier.iter().all(|step| step.starts_with("deferred")),
        "{told:?}"
    );
    assert_eq!(world.smtp.count(), 0);
}

#[tokio::test]
async fn silence_ends_with_the_attempt_and_is_tried_again() {
    let limits = Limits {
        attempt: Duration::from_millis(200),
        ..Limits::default()
    };
    let world = World::at(Pace::default(), limits).await;
    world.smtp.once(Step::Data, Act::Silence);
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    world.later(Duration::from_secs(3));
    world.attempted().await;
    assert_eq!(
        world.told(&receipt).await,
        ["deferred after 1", "sent after 2"]
    );
}

#[tokio::test]
async fn nothing_is_mailed_for_a_request_that_was_used_meanwhile() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.verify(&receipt).await;
    world.outbox.bell().ring(receipt.delivery);
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["abandoned: used"]);
    assert_eq!(world.smtp.connections(), 0);
}

#[tokio::test]
async fn nothing_is_mailed_for_a_generation_that_was_superseded_meanwhile() {
    let world = World::new().await;
    let first = world.send("ada@example.com").await;
    let input = ResendInput {
        auth_request_id: first.auth_request_id.expose().to_owned(),
    };
    let second = world.postern.resend(&world.caller, input).await.unwrap();
    for receipt in [&first, &second] {
        world.outbox.bell().ring(receipt.delivery);
        world.attempted().await;
    }
    assert_eq!(
        world.told(&first).await,
        ["abandoned: superseded", "sent after 1"]
    );
    assert_eq!(
        message_id(&world.smtp.wait_for(1).await[0]),
        format!("{}@acme.example", second.delivery)
    );
}

#[tokio::test]
async fn nothing_is_mailed_after_the_credential_expired() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.later(Duration::from_mins(5));
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["abandoned: expired"]);
    assert_eq!(world.smtp.connections(), 0);
}

#[tokio::test]
async fn a_delivery_whose_worker_was_lost_is_claimed_again_when_its_lease_ends() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.later(Duration::from_secs(46));
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["sent after 1"]);
    assert_eq!(world.smtp.count(), 1);
}

#[tokio::test]
async fn a_ring_that_comes_too_late_for_its_lease_sends_nothing_that_another_node_could_send_too() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    world.store.clock.advance(Duration::from_secs(20));
    world.outbox.bell().ring(receipt.delivery);
    world.attempted().await;
    assert_eq!(world.smtp.count(), 0);
    world.later(Duration::from_secs(26));
    world.attempted().await;
    world.outbox.bell().ring(receipt.delivery);
    world.attempted().await;
    assert_eq!(world.smtp.count(), 1);
    assert_eq!(world.told(&receipt).await, ["sent after 1"]);
}

#[tokio::test]
async fn one_silent_recipient_delays_nobody_else() {
    let world = World::new().await;
    world
        .smtp
        .always_for("slow@example.com", Step::Rcpt, Act::Silence);
    world.send_and_ring("slow@example.com").await;
    for number in 0..20 {
        world
            .send_and_ring(&format!("quick{number}@example.com"))
            .await;
    }
    assert_eq!(world.smtp.wait_for(20).await.len(), 20);
}

#[tokio::test]
async fn a_paused_outbox_sends_nothing_and_still_stops() {
    let paused = Pace {
        concurrency: 0,
        ..Pace::default()
    };
    let world = World::at(paused, Limits::default()).await;
    let receipt = world.send_and_ring("ada@example.com").await;
    assert!(!world.outbox.liveness().is_finished());
    world.outbox.stop().await;
    assert_eq!(world.smtp.connections(), 0);
    assert_eq!(world.store.engine.outbox().await.unwrap().depth, 1);
    drop(receipt);
}

#[tokio::test]
async fn a_stop_waits_for_the_attempt_under_way() {
    let world = World::new().await;
    world
        .smtp
        .once(Step::EndOfData, Act::Slow(Duration::from_millis(300)));
    world.send_and_ring("ada@example.com").await;
    while world.smtp.connections() == 0 {
        tokio::task::yield_now().await;
    }
    world.outbox.stop().await;
    assert_eq!(world.store.engine.outbox().await.unwrap().depth, 0);
    assert_eq!(world.smtp.count(), 1);
}

#[tokio::test]
async fn what_a_server_says_reaches_the_events_without_the_code() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let code = world.code(&receipt).await;
    let said = format!("5.7.1 <ada@example.com> {code} looks like spam");
    world.smtp.once(Step::EndOfData, Act::Reply(554, said));
    world.outbox.bell().ring(receipt.delivery);
    world.attempted().await;
    let events = world.store.timeline(receipt.delivery.request).await;
    let failed = events.iter().find_map(|event| match &event.what {
        EventKind::MailFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(
        failed.unwrap(),
        "end of data: 554 5.7.1 <address> *** looks like spam"
    );
}
