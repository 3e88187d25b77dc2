//! What the doors need to answer a call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use postern_core::{flow::Postern, model::DeliveryId, ports::Entropy};
use tokio::sync::watch;

use crate::{
    freshness::Freshness,
    hooks::Hooks,
    listen::RequestId,
    oauth::{SecretUses, SigningKeys, SigningPool, bearer::Bearers},
    telemetry::labels::{Door, Label as _, Method, Outcome},
    telemetry::metrics::Metrics,
};

/// Everything behind the doors, built once in `compose`.
pub struct App {
    /// The flows.
    pub postern: Arc<Postern>,
    /// The server's own address as clients know it, without a slash at the end: the issuer.
    pub public_url: String,
    /// The signing keys in force.
    pub keys: SigningKeys,
    /// Where tokens are signed.
    pub signing: SigningPool,
    /// Who calls.
    pub bearers: Bearers,
    /// When secrets are used.
    pub secret_uses: SecretUses,
    /// Randomness, for the names of tokens.
    pub entropy: Arc<dyn Entropy>,
    /// Told of every mail that was queued, leased to this node; must not block.
    pub outbox: Arc<dyn Fn(DeliveryId) + Send + Sync>,
    /// Whether the server wants calls; what gRPC health and `/readyz` tell.
    pub ready: watch::Receiver<bool>,
    /// How old the knowledge of settings and clients is.
    pub freshness: Freshness,
    /// Callbacks of mail providers.
    pub hooks: Hooks,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl App {
    /// Counts a call that was answered, and tells the log at `debug` level, with what the caller
    /// speaks by.
    pub fn answered(
        &self,
        id: RequestId,
        (method, door): (Method, Door),
        outcome: Outcome,
        took: Duration,
        sdk: Option<&HeaderValue>,
    ) {
        self.metrics.request(method, door, outcome, took);
        tracing::debug!(
            request_id = %id,
            method = method.text(),
            door = door.text(),
            outcome = outcome.text(),
            took_ms = took.as_secs_f64() * 1e3,
            sdk = sdk_named(sdk),
            "answered"
        );
    }
}

/// What SDKs say of themselves, such as `Scalekit-Node/2.11.0` (contract §2): logged, and nothing else.
pub fn sdk_of(headers: &HeaderMap) -> Option<&HeaderValue> {
    const VERSION: HeaderName = HeaderName::from_static("x-sdk-version");
    headers.get(VERSION)
}

/// The name as it may stand in a log; whatever is no such name is left out.
fn sdk_named(said: Option<&HeaderValue>) -> &str {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"/.-_+".contains(&b);
    let name = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
    if name.len() <= 64 && name.bytes().all(fine) {
        name
    } else {
        ""
    }
}

/// Measures how long a call takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins to measure.
    #[expect(
        clippy::disallowed_methods,
        reason = "a span for the metrics, no moment that counts"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since it began.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
