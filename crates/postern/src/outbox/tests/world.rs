use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use postern_core::flow::{
    Parts as FlowParts, Postern, ProviderInput, Receipt, SendInput, VerifyInput,
};
use postern_core::keyring::{Binding, Keyring, RootSecret};
use postern_core::model::{
    Caller, ClientId, DeliveryState, EventKind, Snapshot, Timestamp, TlsMode,
};
use postern_store::testing::{SeededEntropy, TempStore, temp_store};
use postern_testkit::smtp::SmtpServer;

use crate::mail::smtp::{Limits, Trust};
use crate::mail::{Providers, Templates};
use crate::outbox::{Outbox, Pace, Parts};
use crate::telemetry::metrics::Metrics;

/// A server without doors: flows, a real store, a scripted SMTP server, and the outbox between.
pub(super) struct World {
    pub(super) store: TempStore,
    pub(super) postern: Arc<Postern>,
    pub(super) smtp: SmtpServer,
    /// Providers behind the first, called `second`, `third`, …
    pub(super) others: Vec<SmtpServer>,
    pub(super) outbox: Outbox,
    pub(super) metrics: Arc<Metrics>,
    pub(super) caller: Caller,
    seen: AtomicU64,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::at(Pace::default(), Limits::default()).await
    }

    pub(super) async fn at(pace: Pace, limits: Limits) -> Self {
        let smtp = SmtpServer::builder().start().await.unwrap();
        Self::before(pace, limits, smtp, Vec::new()).await
    }

    /// With these providers, in this order.
    pub(super) async fn before(
        pace: Pace,
        limits: Limits,
        smtp: SmtpServer,
        others: Vec<SmtpServer>,
    ) -> Self {
        let store = temp_store().await;
        let templates = Arc::new(Templates::built_in());
        let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
        let postern = Arc::new(Postern::new(FlowParts {
            store: Arc::clone(&store.engine),
            clock: Arc::clone(&store.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            templates: Arc::clone(&templates) as _,
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            disposable: Arc::new(ArcSwap::from_pointee(
                postern_core::model::DomainList::bundled(),
            )),
            inbox: false,
        }));
        let caller = prepare(&postern, &smtp, &others).await;
        let metrics = Arc::new(Metrics::new());
        let outbox = Outbox::start(
            Parts {
                postern: Arc::clone(&postern),
                templates,
                route: Arc::new(Providers::new(
                    Arc::clone(&postern),
                    Trust::System,
                    limits,
                    Arc::clone(&metrics),
                )),
                public_url: "https://auth.example.com".to_owned(),
                entropy: Arc::new(SeededEntropy::new(2)),
                metrics: Arc::clone(&metrics),
                node: store.node,
            },
            pace,
            None,
        );
        Self {
            store,
            postern,
            smtp,
            others,
            outbox,
            metrics,
            caller,
            seen: AtomicU64::new(0),
        }
    }

    /// A send that nobody has told the outbox of.
    pub(super) async fn send(&self, email: &str) -> Receipt {
        let input = SendInput {
            email: email.to_owned(),
            ..SendInput::default()
        };
        self.postern.send(&self.caller, input).await.unwrap()
    }

    pub(super) async fn send_and_ring(&self, email: &str) -> Receipt {
        let receipt = self.send(email).await;
        self.outbox.bell().ring(receipt.delivery);
        receipt
    }

    /// Waits for the end of one more attempt.
    pub(super) async fn attempted(&self) {
        let goal = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let mut work = self.outbox.work();
        let waited = tokio::time::timeout(
            Duration::from_secs(20),
            work.wait_for(|work| work.ended >= goal),
        );
        assert!(
            waited.await.is_ok_and(|seen| seen.is_ok()),
            "attempt {goal} did not end"
        );
    }

    /// Moves the clock and lets the outbox look for what is due.
    pub(super) fn later(&self, span: Duration) {
        self.store.clock.advance(span);
        self.outbox.bell().poll();
    }

    /// Moves the clock, lets the outbox look for what is due, and waits until that has been tried.
    pub(super) async fn tried_later(&self, span: Duration) {
        let mut work = self.outbox.work();
        let asked = work.borrow_and_update().asked;
        self.later(span);
        let quiet =
            work.wait_for(|work| work.asked > asked && work.waiting == 0 && work.under_way == 0);
        let quiet = tokio::time::timeout(Duration::from_mins(2), quiet).await;
        assert!(
            quiet.is_ok_and(|work| work.is_ok()),
            "what was due was not tried"
        );
    }

    /// When the mail is tried next, while it waits.
    pub(super) async fn due_at(&self, receipt: &Receipt) -> Option<Timestamp> {
        let outgoing = self
            .store
            .engine
            .find_outgoing(receipt.delivery)
            .await
            .unwrap();
        let delivery = outgoing.unwrap().delivery;
        (delivery.state == DeliveryState::Queued).then_some(delivery.due_at)
    }

    pub(super) async fn verify(&self, receipt: &Receipt) {
        let input = VerifyInput {
            code: Some(self.code(receipt).await),
            auth_request_id: Some(receipt.auth_request_id.expose().to_owned()),
            ..VerifyInput::default()
        };
        self.postern.verify(&self.caller, input).await.unwrap();
    }

    pub(super) async fn code(&self, receipt: &Receipt) -> String {
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

    /// Every try that was told of, in order: who, and how it ended.
    pub(super) async fn tries(&self, receipt: &Receipt) -> Vec<(String, String)> {
        let events = self.store.timeline(receipt.delivery.request).await;
        let told = |what: EventKind| match what {
            EventKind::MailSent { provider, .. } => Some((provider, "sent".to_owned())),
            EventKind::MailDeferred {
                provider, fault, ..
            } => Some((
                provider.unwrap_or_default(),
                format!("{fault:?}").to_lowercase(),
            )),
            EventKind::MailFailed { provider, .. } => {
                Some((provider.unwrap_or_default(), "failed".to_owned()))
            }
            _ => None,
        };
        events
            .into_iter()
            .filter_map(|event| told(event.what))
            .collect()
    }

    /// What became of the mails of a request, in order.
    pub(super) async fn told(&self, receipt: &Receipt) -> Vec<String> {
        let events = self.store.timeline(receipt.delivery.request).await;
        events
            .into_iter()
            .filter_map(|event| told(&event.what))
            .collect()
    }
}

/// What a provider of this name is given: the scripted server at `port`.
pub(super) fn provider(name: &str, port: u16) -> ProviderInput {
    let from = match name {
        "first" => "Acme <login@acme.example>".to_owned(),
        name => format!("login@{name}.example"),
    };
    ProviderInput::plain(name, "127.0.0.1", port, TlsMode::None, from)
}

async fn prepare(postern: &Postern, smtp: &SmtpServer, others: &[SmtpServer]) -> Caller {
    let names = ["first", "second", "third", "fourth"];
    for (name, server) in names.into_iter().zip(std::iter::once(smtp).chain(others)) {
        let one = provider(name, server.addr().port());
        postern.put_provider(one).await.unwrap();
    }
    let client: ClientId = postern.create_client("app").await.unwrap().id;
    Caller::new(client)
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
