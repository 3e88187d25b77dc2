//! A whole server of the wire on a free port: real listener, router, tokens and flows.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use postern::{
    app::App,
    freshness::Freshness,
    hooks::Hooks,
    https::Https,
    listen::{Drain, Limits, Listener, Tls},
    oauth::{SecretUses, SigningKeys, SigningPool, bearer::Bearers, keys},
    router::{closed, router},
    telemetry::metrics::Metrics,
};
use postern_core::{
    flow::{NewClient, Parts, Postern},
    keyring::{Binding, Keyring, RootSecret},
    model::{
        DeliveryId, Languages, MailKind, NodeId, SigningKey, SigningState, Timestamp, Variables,
    },
    ports::{Amendment, Clock, Entropy, Templates},
    settings::Settings,
};
use postern_store::Tuning;
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) mod frames;
pub(crate) mod http;

/// The issuer of every test server: another one than its address, so that a use of `Host` shows.
pub(crate) const ISSUER: &str = "https://sign-in.example.com";

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) client: NewClient,
    pub(crate) drain: Drain,
    pub(crate) ready: watch::Sender<bool>,
    pub(crate) queued: Arc<Mutex<Vec<DeliveryId>>>,
    clock: Arc<TestClock>,
    _data: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), None).await
    }

    pub(crate) async fn with(limits: Limits, tls: Option<Tls>) -> Self {
        Self::knowing(always_fresh(), limits, tls).await
    }

    /// A server whose knowledge of settings and clients is as old as `fresh` says.
    pub(crate) async fn knowing(fresh: Freshness, limits: Limits, tls: Option<Tls>) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START)));
        let keyring = keyring();
        let data = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", data.path().join("postern.db").display());
        let store = postern_store::connect(&url, NodeId([1; 8]), clock.clone(), Tuning::default());
        let store = store.await.unwrap();
        let keys = signing_keys().iter().cloned();
        let keys: Vec<_> = keys.map(Amendment::PutSigningKey).collect();
        let snapshot = store.amend(Box::new(move |_, _| Ok(keys.clone()))).await;
        let snapshot = snapshot.unwrap().unwrap();
        let postern = Arc::new(Postern::new(Parts {
            store,
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            templates: Arc::new(AnyTemplate),
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
            disposable: Arc::new(ArcSwap::from_pointee(
                postern_core::model::DomainList::bundled(),
            )),
            inbox: true,
        }));
        let client = postern.create_client("app").await.unwrap();
        let queued = Arc::new(Mutex::new(Vec::new()));
        let (ready, is_ready) = watch::channel(true);
        let app = Arc::new(app(postern, fresh, Arc::clone(&queued), is_ready));
        let listener = Listener::bind(([127, 0, 0, 1], 0).into(), tls, limits).unwrap();
        let addr = listener.local_addr().unwrap();
        let drain = Drain::new();
        tokio::spawn(listener.serve(closed(router(&app)), drain.clone()));
        Self {
            addr,
            app,
            client,
            drain,
            ready,
            queued,
            clock,
            _data: data,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(crate) fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).unwrap();
        self.clock.0.fetch_add(seconds, Relaxed);
    }

    /// The form of a token request with the client's own credentials.
    pub(crate) fn token_form(&self) -> String {
        let (id, secret) = (&self.client.id, self.client.secret.expose());
        format!("grant_type=client_credentials&client_id={id}&client_secret={secret}")
    }

    /// The code that was mailed for an `auth_request_id`.
    pub(crate) async fn code_of(&self, auth_request_id: &str) -> String {
        let keyring = self.app.postern.keyring();
        let id = keyring.read_handle(auth_request_id).unwrap();
        let request = self.app.postern.store().find_auth_request(id).await;
        let request = request.unwrap().unwrap();
        let binding = Binding::new(&request, request.generation);
        keyring.passcode(&binding).unwrap().expose().to_owned()
    }

    pub(crate) async fn token(&self) -> String {
        let answer = http::post_form(self.addr, "/oauth/token", &self.token_form()).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

fn app(
    postern: Arc<Postern>,
    freshness: Freshness,
    queued: Arc<Mutex<Vec<DeliveryId>>>,
    ready: watch::Receiver<bool>,
) -> App {
    let keys = SigningKeys::open(&postern.snapshot(), &postern.keyring()).unwrap();
    App {
        bearers: Bearers::new(keys.clone(), ISSUER),
        secret_uses: SecretUses::default(),
        public_url: ISSUER.to_owned(),
        signing: SigningPool::new(2),
        entropy: Arc::new(SystemEntropy),
        outbox: Arc::new(move |delivery| queued.lock().unwrap().push(delivery)),
        freshness,
        hooks: Hooks::new(Arc::new(Https::default())),
        metrics: Arc::new(Metrics::new()),
        postern,
        keys,
        ready,
    }
}

/// Nobody follows the registry here: it is what the test made it.
fn always_fresh() -> Freshness {
    let fresh = Freshness::new();
    fresh.confirm(Duration::MAX);
    fresh
}

const START: i64 = 1_800_000_000;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.0.load(Relaxed))
    }
}

struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the port's own implementation")]
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).unwrap();
    }
}

struct AnyTemplate;

impl Templates for AnyTemplate {
    fn missing(&self, _: MailKind, _: &Languages, _: &Variables, _: &Settings) -> Vec<String> {
        Vec::new()
    }
}

pub(crate) fn keyring() -> Keyring {
    Keyring::new(&[(1, RootSecret::new([7; 32]))], 1).unwrap()
}

/// An active and a standby key, made once for all tests.
pub(crate) fn signing_keys() -> &'static [SigningKey] {
    static KEYS: OnceLock<Vec<SigningKey>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let now = Timestamp::from_unix_seconds(START);
        [SigningState::Active, SigningState::Standby]
            .map(|state| keys::make(state, &keyring(), &SystemEntropy, now).unwrap())
            .into()
    })
}
