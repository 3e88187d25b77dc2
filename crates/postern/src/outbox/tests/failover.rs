//! Several providers.

use std::time::Duration;

use postern_core::flow::ProviderInput;
use postern_core::model::{SecretText, TokenSource};
use postern_testkit::smtp::{Act, SmtpServer, Step};
use postern_testkit::tokens::TokenServer;

use super::message_id;
use super::world::{World, provider};
use crate::mail::smtp::Limits;
use crate::outbox::Pace;

/// Short enough for tests, far longer than a scripted server takes.
const LIMITS: Limits = Limits {
    connections: 8,
    idle: Duration::from_secs(20),
    attempt: Duration::from_secs(30),
    spill: Duration::from_millis(200),
    opening: Duration::from_millis(500),
};

async fn world(providers: usize) -> World {
    let smtp = SmtpServer::builder().start().await.unwrap();
    let mut others = Vec::new();
    for _ in 1..providers {
        others.push(SmtpServer::builder().start().await.unwrap());
    }
    World::before(Pace::default(), LIMITS, smtp, others).await
}

fn pairs(told: &[(String, String)]) -> Vec<(&str, &str)> {
    told.iter()
        .map(|(who, how)| (who.as_str(), how.as_str()))
        .collect()
}

#[tokio::test]
async fn trouble_of_one_provider_moves_the_mail_to_the_next_at_once() {
    for (step, act) in [
        (Step::Banner, Act::reply(554)),
        (Step::Banner, Act::reply(421)),
        (Step::Banner, Act::Drop),
        (Step::Banner, Act::Silence),
        (Step::Ehlo, Act::Drop),
        (Step::Mail, Act::reply(550)),
        (Step::Mail, Act::Drop),
        (Step::Rcpt, Act::Silence),
        (Step::Data, Act::reply(554)),
    ] {
        let world = world(2).await;
        world.smtp.always(step, act.clone());
        let receipt = world.send_and_ring("ada@example.com").await;
        world.attempted().await;
        assert_eq!(
            pairs(&world.tries(&receipt).await),
            [("first", "trouble"), ("second", "sent")],
            "{act:?} at {step:?}"
        );
        assert_eq!((world.smtp.count(), world.others[0].count()), (0, 1));
    }
}

#[tokio::test]
async fn a_dead_provider_and_a_refused_login_move_the_mail_on_too() {
    let world = world(3).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = provider("first", closed.local_addr().unwrap().port());
    drop(closed);
    world.postern.put_provider(dead).await.unwrap();
    // The second one announces no login, so ours has nowhere to go.
    let locked = ProviderInput {
        username: Some("postern".into()),
        password: Some(SecretText::new("wrong")),
        ..provider("second", world.others[0].addr().port())
    };
    world.postern.put_provider(locked).await.unwrap();
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    assert_eq!(
        pairs(&world.tries(&receipt).await),
        [
            ("first", "trouble"),
            ("second", "trouble"),
            ("third", "sent")
        ]
    );
}

#[tokio::test]
async fn trouble_with_a_token_endpoint_moves_the_mail_to_the_next_provider() {
    let world = world(2).await;
    let tokens = TokenServer::start().await.unwrap();
    tokens.answer(400, r#"{"error":"invalid_client"}"#);
    let by_token = ProviderInput {
        username: Some("login@acme.example".to_owned()),
        password: Some(SecretText::new("client-secret")),
        oauth: Some(TokenSource {
            url: tokens.url(),
            client_id: "id".to_owned(),
            scope: None,
        }),
        ..provider("first", world.smtp.addr().port())
    };
    world.postern.put_provider(by_token).await.unwrap();
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    assert_eq!(
        pairs(&world.tries(&receipt).await),
        [("first", "trouble"), ("second", "sent")]
    );
}

#[tokio::test]
async fn a_refused_recipient_or_message_is_not_taken_to_another_provider() {
    for step in [Step::Rcpt, Step::EndOfData] {
        let world = world(2).await;
        world.smtp.once(step, Act::reply(550));
        let receipt = world.send_and_ring("ada@example.com").await;
        world.attempted().await;
        assert_eq!(world.told(&receipt).await, ["bounced"]);
        assert_eq!(world.others[0].connections(), 0);
    }
}

#[tokio::test]
async fn a_greylisted_mail_asks_the_same_provider_once_more_and_then_the_next() {
    let world = world(2).await;
    world.smtp.always(Step::Rcpt, Act::reply(451));
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    for _ in 0..2 {
        let due_at = world.due_at(&receipt).await.unwrap();
        world.store.clock.set(due_at);
        world.outbox.bell().poll();
        world.attempted().await;
    }
    assert_eq!(
        pairs(&world.tries(&receipt).await),
        [
            ("first", "deferred"),
            ("first", "deferred"),
            ("second", "sent")
        ]
    );
}

#[tokio::test]
async fn a_lost_answer_is_repeated_at_the_same_provider_as_the_same_message() {
    let world = world(2).await;
    world.smtp.once(Step::EndOfData, Act::AcceptAndDrop);
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    world.later(Duration::from_secs(3));
    world.attempted().await;
    assert_eq!(
        pairs(&world.tries(&receipt).await),
        [("first", "unsure"), ("first", "sent")]
    );
    let ids: Vec<String> = world.smtp.received().iter().map(message_id).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]));
}

#[tokio::test]
async fn a_repeat_through_another_provider_for_another_sender_stays_the_same_message() {
    let world = world(2).await;
    world.smtp.once(Step::EndOfData, Act::AcceptAndDrop);
    let receipt = world.send_and_ring("ada@example.com").await;
    world.attempted().await;
    world.smtp.always(Step::Mail, Act::reply(550));
    world.later(Duration::from_secs(3));
    world.attempted().await;
    assert_eq!(
        pairs(&world.tries(&receipt).await),
        [
            ("first", "unsure"),
            ("first", "trouble"),
            ("second", "sent")
        ]
    );
    let repeat = &world.others[0].received()[0];
    assert_eq!(repeat.from, "login@second.example");
    assert_eq!(message_id(&world.smtp.received()[0]), message_id(repeat));
}

#[tokio::test]
async fn a_provider_in_repeated_trouble_is_left_alone_until_a_probe_finds_it_working() {
    let world = world(2).await;
    world.smtp.always(Step::Banner, Act::reply(554));
    for number in 0..8 {
        world.send_and_ring(&format!("a{number}@example.com")).await;
        world.attempted().await;
    }
    assert_eq!(world.smtp.connections(), 5);
    let told = world
        .metrics
        .render(crate::telemetry::metrics::Gauges::default());
    assert!(
        told.contains("postern_provider_circuit_open{provider=\"first\"} 1"),
        "{told}"
    );
    world.smtp.heal();
    world.store.clock.advance(Duration::from_secs(6));
    for number in 0..2 {
        world.send_and_ring(&format!("b{number}@example.com")).await;
        world.attempted().await;
    }
    assert_eq!((world.smtp.count(), world.others[0].count()), (2, 8));
    let told = world
        .metrics
        .render(crate::telemetry::metrics::Gauges::default());
    assert!(
        told.contains("postern_provider_circuit_open{provider=\"first\"} 0"),
        "{told}"
    );
}

#[tokio::test]
async fn mails_wait_unattempted_while_every_provider_is_left_alone() {
    let world = world(1).await;
    world.smtp.always(Step::Banner, Act::reply(554));
    let mut receipts = Vec::new();
    for number in 0..6 {
        receipts.push(world.send_and_ring(&format!("a{number}@example.com")).await);
        world.attempted().await;
    }
    assert_eq!(world.smtp.connections(), 5);
    assert_eq!(pairs(&world.tries(&receipts[5]).await), [("", "trouble")]);
    world.smtp.heal();
    // Half-open, one mail goes first; the others follow once it is through.
    for _ in 0..60 {
        if world.smtp.count() == 6 {
            return;
        }
        world.tried_later(Duration::from_secs(2)).await;
    }
    panic!("{} of 6 mails were sent", world.smtp.count());
}

#[tokio::test]
async fn a_silent_provider_holds_up_none_but_the_few_mails_it_has() {
    let world = world(2).await;
    world.smtp.always(Step::Banner, Act::Silence);
    for number in 0..40 {
        world.send_and_ring(&format!("a{number}@example.com")).await;
    }
    assert_eq!(world.others[0].wait_for(40).await.len(), 40);
}

#[tokio::test]
async fn what_passes_a_providers_rate_goes_to_the_next_one() {
    let world = world(2).await;
    let limited = ProviderInput {
        per_minute: Some(1),
        ..provider("first", world.smtp.addr().port())
    };
    world.postern.put_provider(limited).await.unwrap();
    for number in 0..3 {
        world.send_and_ring(&format!("a{number}@example.com")).await;
        world.attempted().await;
    }
    assert_eq!((world.smtp.count(), world.others[0].count()), (1, 2));
}

#[tokio::test]
async fn a_code_that_is_used_while_a_provider_dawdles_is_not_taken_to_the_next() {
    let world = world(2).await;
    world.smtp.once(Step::Banner, Act::Silence);
    let receipt = world.send_and_ring("ada@example.com").await;
    while world.smtp.connections() == 0 {
        tokio::task::yield_now().await;
    }
    world.verify(&receipt).await;
    world.attempted().await;
    let told = world.told(&receipt).await;
    assert_eq!(told, ["deferred after 1", "abandoned: used"]);
    assert_eq!(world.others[0].connections(), 0);
}
