//! Whether the process lives, and whether it wants calls.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use postern_core::ports::Engine;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::listen::Drain;
use crate::present;

/// How long the store may take to answer before the process counts as not ready.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often readiness is judged for those who watch it.
const EVERY: Duration = Duration::from_secs(1);

/// Judges readiness: the store answers and the outbox worker lives. Whether a mail provider can be
/// reached is no part of it: a queue is what the outbox is for.
#[derive(Clone)]
pub struct Health {
    engine: Arc<dyn Engine>,
    outbox: AbortHandle,
    drain: Drain,
}

impl Health {
    /// A judge over this store; `outbox` is the handle of its worker.
    pub fn new(engine: Arc<dyn Engine>, outbox: AbortHandle, drain: Drain) -> Self {
        Self {
            engine,
            outbox,
            drain,
        }
    }

    /// Why the process wants no calls; empty when it does.
    pub async fn reasons(&self) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if self.drain.is_leaving() {
            reasons.push("the server is stopping");
        }
        if !matches!(timeout(PATIENCE, self.engine.ping()).await, Ok(Ok(()))) {
            reasons.push("the store does not answer");
        }
        if self.outbox.is_finished() {
            reasons.push("the outbox worker does not run");
        }
        reasons
    }

    /// Keeps `ready` at what is judged. Runs until it is dropped.
    pub async fn watch(self, ready: watch::Sender<bool>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = self.drain.reached(crate::listen::Phase::Leaving), if !self.drain.is_leaving() => {}
            }
            let now = self.reasons().await.is_empty();
            ready.send_if_modified(|held| std::mem::replace(held, now) != now);
        }
    }

    /// `GET /healthz` and `GET /readyz`.
    pub fn routes(self) -> Router {
        let ready = get(move || {
            let health = self.clone();
            async move { told(&health.reasons().await) }
        });
        Router::new()
            .route("/healthz", get(|| async { told(&[]) }))
            .route("/readyz", ready)
    }
}

fn told(reasons: &[&str]) -> Response {
    if reasons.is_empty() {
        return present::rest::json(&json!({ "status": "ok" }));
    }
    let mut answer = present::rest::json(&json!({ "status": "not ready", "reasons": reasons }));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}
