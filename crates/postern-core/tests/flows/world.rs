use std::sync::Arc;
use std::time::Duration;

use crate::spy::Spy;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use postern_core::Error;
use postern_core::error::Violation;
use postern_core::flow::{Parts, Postern, Receipt, ResendInput, SendInput, Verified, VerifyInput};
use postern_core::keyring::{Binding, Keyring, RootSecret};
use postern_core::model::{
    AuthRequest, AuthRequestId, Caller, ClientId, Event, Languages, MailKind, Snapshot,
    TemplateKey, TemplateSource, Variables,
};
use postern_core::ports::{Clock as _, Keep, Templates};
use postern_core::settings::Settings;
use postern_store::testing::{SeededEntropy, TempStore, temp_store};

/// The verbs on a real store, with the time in the test's hands.
pub(crate) struct World {
    pub(crate) postern: Arc<Postern>,
    pub(crate) store: TempStore,
    pub(crate) caller: Caller,
    pub(crate) spy: Arc<Spy>,
    roots: Arc<ArcSwap<Keyring>>,
}

/// What a mail would hold.
pub(crate) struct Mailed {
    pub(crate) code: String,
    pub(crate) link: String,
}

/// A template set that needs the variables named here.
struct Needs(&'static [&'static str]);

#[async_trait]
impl Templates for Needs {
    fn missing(
        &self,
        _: MailKind,
        _: &Languages,
        supplied: &Variables,
        _: &Settings,
    ) -> Vec<String> {
        self.0
            .iter()
            .filter(|name| supplied.get(name).is_none())
            .map(|name| (*name).to_owned())
            .collect()
    }

    async fn faults(
        &self,
        _: &TemplateKey,
        source: &TemplateSource,
    ) -> Result<Vec<Violation>, Error> {
        let broken = source.text == "broken";
        let fault = broken.then(|| Violation::new("text", "lint", "it is broken"));
        Ok(fault.into_iter().collect())
    }
}

impl World {
    /// A server with default settings but for the mail quotas, which are wide.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let wide = [
            ("sends_per_minute", "100"),
            ("sends_per_hour", "500"),
            ("sends_per_day", "1000"),
        ];
        let world = Self::strict().await;
        world.set(&wide).await;
        world.set(settings).await;
        world
    }

    /// A server with exactly the default settings.
    pub(crate) async fn strict() -> Self {
        Self::build(&[], true).await
    }

    pub(crate) async fn needing(variables: &'static [&'static str]) -> Self {
        Self::build(variables, true).await
    }

    pub(crate) async fn without_mail() -> Self {
        Self::build(&[], false).await
    }

    async fn build(needs: &'static [&'static str], inbox: bool) -> Self {
        let store = temp_store().await;
        let roots = [(1, RootSecret::new([1; 32])), (2, RootSecret::new([2; 32]))];
        let roots = Arc::new(ArcSwap::from_pointee(Keyring::new(&roots, 1).unwrap()));
        Self::around(store, roots, needs, inbox, 7)
    }

    fn around(
        store: TempStore,
        roots: Arc<ArcSwap<Keyring>>,
        needs: &'static [&'static str],
        inbox: bool,
        seed: u64,
    ) -> Self {
        let spy = Arc::new(Spy::new(store.engine.clone()));
        let postern = Arc::new(Postern::new(Parts {
            store: spy.clone(),
            clock: store.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(seed)),
            templates: Arc::new(Needs(needs)),
            keyring: roots.clone(),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            disposable: Arc::new(ArcSwap::from_pointee(
                postern_core::model::DomainList::bundled(),
            )),
            inbox,
        }));
        let caller = Caller::new(ClientId::parse("skc_1").unwrap());
        Self {
            postern,
            store,
            caller,
            spy,
            roots,
        }
    }

    /// The same data in the hands of a new process.
    pub(crate) async fn restarted(mut self) -> Self {
        self.store.reopen().await;
        let world = Self::around(self.store, self.roots, &[], true, 8);
        world.postern.refresh().await.unwrap();
        world
    }

    pub(crate) async fn set(&self, settings: &[(&str, &str)]) {
        let changes = settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        self.postern.change_settings(changes).await.unwrap();
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.store.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn send(&self, email: &str) -> Receipt {
        self.try_send(Self::input(email)).await.unwrap()
    }

    pub(crate) async fn try_send(&self, input: SendInput) -> Result<Receipt, Error> {
        self.postern.send(&self.caller, input).await
    }

    /// A send with everything that any method needs.
    pub(crate) fn input(email: &str) -> SendInput {
        SendInput {
            email: email.to_owned(),
            magiclink_auth_uri: Some("https://app.example.com/cb".to_owned()),
            ..SendInput::default()
        }
    }

    pub(crate) async fn resend(&self, receipt: &Receipt) -> Result<Receipt, Error> {
        let auth_request_id = receipt.auth_request_id.expose().to_owned();
        self.postern
            .resend(&self.caller, ResendInput { auth_request_id })
            .await
    }

    pub(crate) async fn verify(&self, receipt: &Receipt, code: &str) -> Result<Verified, Error> {
        self.postern
            .verify(&self.caller, by_code(receipt, code))
            .await
    }

    pub(crate) async fn verify_link(
        &self,
        token: &str,
        handle: Option<&Receipt>,
    ) -> Result<Verified, Error> {
        let input = VerifyInput {
            link_token: Some(token.to_owned()),
            auth_request_id: handle.map(|r| r.auth_request_id.expose().to_owned()),
            ..VerifyInput::default()
        };
        self.postern.verify(&self.caller, input).await
    }

    /// What the mail of this receipt holds, derived as the outbox does.
    pub(crate) async fn mailed(&self, receipt: &Receipt) -> Mailed {
        let outgoing = self
            .store
            .engine
            .find_outgoing(receipt.delivery)
            .await
            .unwrap()
            .unwrap();
        let binding = Binding::new(&outgoing.request, outgoing.delivery.generation);
        let keyring = self.postern.keyring();
        Mailed {
            code: keyring.passcode(&binding).unwrap().expose().to_owned(),
            link: keyring.link_token(&binding).unwrap().expose().to_owned(),
        }
    }

    /// A code that is none of those mailed for this request so far.
    pub(crate) async fn wrong(&self, receipt: &Receipt, n: usize) -> String {
        let request = self.request(receipt).await;
        let keyring = self.postern.keyring();
        let mailed = |code: &String| {
            (0..=request.generation).any(|g| {
                keyring
                    .passcode(&Binding::new(&request, g))
                    .unwrap()
                    .expose()
                    == code
            })
        };
        let length = usize::from(request.shape.length);
        let spelt = |n: usize| format!("{n:0length$}").replace(['0', '1'], "2");
        let mut fresh: Vec<String> = Vec::new();
        for candidate in (2222..).map(spelt) {
            if !mailed(&candidate) && !fresh.contains(&candidate) {
                fresh.push(candidate);
            }
            if fresh.len() > n {
                break;
            }
        }
        fresh[n].clone()
    }

    pub(crate) async fn request(&self, receipt: &Receipt) -> AuthRequest {
        self.store
            .engine
            .find_auth_request(Self::id(receipt))
            .await
            .unwrap()
            .unwrap()
    }

    pub(crate) fn id(receipt: &Receipt) -> AuthRequestId {
        receipt.delivery.request
    }

    /// The kinds of a request's events, in order.
    pub(crate) async fn steps(&self, receipt: &Receipt) -> Vec<String> {
        let events = self.store.timeline(Self::id(receipt)).await;
        events.iter().map(kind).collect()
    }
}

pub(crate) fn by_code(receipt: &Receipt, code: &str) -> VerifyInput {
    VerifyInput {
        code: Some(code.to_owned()),
        auth_request_id: Some(receipt.auth_request_id.expose().to_owned()),
        ..VerifyInput::default()
    }
}

pub(crate) fn kind(event: &Event) -> String {
    serde_json::to_value(&event.what).unwrap()["kind"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The error's stable code, for a comparison that reads well.
pub(crate) fn code_of<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

impl World {
    /// Makes another of the two roots current.
    pub(crate) fn rotate_to(&self, current: u8) {
        let roots = [(1, RootSecret::new([1; 32])), (2, RootSecret::new([2; 32]))];
        self.rotate(Keyring::new(&roots, current).unwrap());
    }

    pub(crate) fn rotate(&self, keyring: Keyring) {
        self.roots.store(Arc::new(keyring));
    }

    pub(crate) fn step_back(&self, seconds: u64) {
        let clock = &self.store.clock;
        clock.set(clock.now().minus(Duration::from_secs(seconds)));
    }

    /// Sweeps until nothing is left to do.
    pub(crate) async fn sweep(&self) {
        let (settings, now) = (self.postern.snapshot().settings.clone(), self.postern.now());
        let keep = Keep {
            requests_from: now.minus(settings.keep_requests),
            events_from: now.minus(settings.keep_events),
        };
        while self.store.engine.sweep(keep).await.unwrap().more {}
    }

    /// Every byte that the store keeps.
    pub(crate) fn files_on_disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.store.path()).unwrap();
        files
            .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
            .collect()
    }
}
