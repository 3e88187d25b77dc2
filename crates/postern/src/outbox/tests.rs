use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use mail_parser::MessageParser;
use postern_core::flow::{
    Parts as FlowParts, ProviderInput, Receipt, ResendInput, SendInput, VerifyInput,
};
use postern_core::keyring::{Binding, Keyring, RootSecret};
use postern_core::model::{
    Caller, ClientId, DeliveryState, EventKind, Snapshot, Timestamp, TlsMode,
};
use postern_store::testing::{SeededEntropy, TempStore, temp_store};
use postern_testkit::smtp::{Act, Received, SmtpServer, Step};

use super::*;
use crate::mail::Providers;
use crate::mail::smtp::{Limits, Trust};

/// A server without doors: flows, a real store, a scripted SMTP server, and the outbox between.
struct World {
    store: TempStore,
    postern: Arc<Postern>,
    smtp: SmtpServer,
    outbox: Outbox,
    caller: Caller,
    seen: AtomicU64,
}

impl World {
    async fn new() -> Self {
        Self::at(Pace::default(), Limits::default()).await
    }

    async fn at(pace: Pace, limits: Limits) -> Self {
        let (store, smtp) = (
            temp_store().await,
            SmtpServer::builder().start().await.unwrap(),
        );
        let templates = Arc::new(Templates::built_in());
        let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
        let postern = Arc::new(Postern::new(FlowParts {
            store: Arc::clone(&store.engine),
            clock: Arc::clone(&store.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            templates: Arc::clone(&templates) as _,
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            inbox: false,
        }));
        let caller = prepare(&postern, &smtp).await;
        let outbox = Outbox::start(
            Parts {
                postern: Arc::clone(&postern),
                templates,
                route: Arc::new(Providers::new(Arc::clone(&postern), Trust::System, limits)),
                entropy: Arc::new(SeededEntropy::new(2)),
                metrics: Arc::new(Metrics::new()),
                node: store.node,
            },
            pace,
        );
        Self {
            store,
            postern,
            smtp,
            outbox,
            caller,
            seen: AtomicU64::new(0),
        }
    }

    /// A send that nobody has told the outbox of.
    async fn send(&self, email: &str) -> Receipt {
        let input = SendInput {
            email: email.to_owned(),
            ..SendInput::default()
        };
        self.postern.send(&self.caller, input).await.unwrap()
    }

    async fn send_and_ring(&self, email: &str) -> Receipt {
        let receipt = self.send(email).await;
        self.outbox.bell().ring(receipt.delivery);
        receipt
    }

    /// Waits for the end of one more attempt.
    async fn attempted(&self) {
        let goal = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let mut ended = self.outbox.ended();
        let waited = tokio::time::timeout(
            Duration::from_secs(20),
            ended.wait_for(|ended| *ended >= goal),
        );
        assert!(
            waited.await.is_ok_and(|seen| seen.is_ok()),
            "attempt {goal} did not end"
        );
    }

    /// Moves the clock and lets the outbox look for what is due.
    fn later(&self, span: Duration) {
        self.store.clock.advance(span);
        self.outbox.bell().poll();
    }

    /// When the mail is tried next, while it waits.
    async fn due_at(&self, receipt: &Receipt) -> Option<Timestamp> {
        let outgoing = self
            .store
            .engine
            .find_outgoing(receipt.delivery)
            .await
            .unwrap();
        let delivery = outgoing.unwrap().delivery;
        (delivery.state == DeliveryState::Queued).then_some(delivery.due_at)
    }

    async fn verify(&self, receipt: &Receipt) {
        let input = VerifyInput {
            code: Some(self.code(receipt).await),
            auth_request_id: Some(receipt.auth_request_id.expose().to_owned()),
            ..VerifyInput::default()
        };
        self.postern.verify(&self.caller, input).await.unwrap();
    }

    async fn code(&self, receipt: &Receipt) -> String {
        let request = self
            .store
            .engine
            .find_auth_request(receipt.delivery.request)
            .await
            .unwrap()
            .unwrap();
        let binding = Binding::new(&request, request.generation);
        self.postern
            .keyring()
            .passcode(&binding)
            .unwrap()
            .expose()
            .to_owned()
    }

    /// What became of the mails of a request, in order.
    async fn told(&self, receipt: &Receipt) -> Vec<String> {
        let events = self
            .store
            .engine
            .timeline(receipt.delivery.request)
            .await
            .unwrap();
        events
            .into_iter()
            .filter_map(|event| told(&event.what))
            .collect()
    }
}

async fn prepare(postern: &Postern, smtp: &SmtpServer) -> Caller {
    let provider = ProviderInput {
        name: "scripted".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: smtp.addr().port(),
        tls: TlsMode::None,
        username: None,
        password: None,
        from: "Acme <login@acme.example>".to_owned(),
    };
    postern.put_provider(provider).await.unwrap();
    let client: ClientId = postern.create_client("app").await.unwrap().id;
    Caller { client }
}

fn told(what: &EventKind) -> Option<String> {
    match what {
        EventKind::MailSent { attempts, .. } => Some(format!("sent after {attempts}")),
        EventKind::MailDeferred { attempts, .. } => Some(format!("deferred after {attempts}")),
        EventKind::MailFailed { bounced, .. } => {
            Some(if *bounced { "bounced" } else { "failed" }.to_owned())
        }
        EventKind::MailAbandoned { reason, .. } => Some(format!("abandoned: {reason}")),
        _ => None,
    }
}

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
    assert!(world.outbox.is_alive());
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
    let events = world
        .store
        .engine
        .timeline(receipt.delivery.request)
        .await
        .unwrap();
    let failed = events.iter().find_map(|event| match &event.what {
        EventKind::MailFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert_eq!(
        failed.unwrap(),
        "end of data: 554 5.7.1 <address> *** looks like spam"
    );
}
