//! `/metrics`, on a listener of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use postern_core::flow::Postern;
use postern_core::rules::DomainRule;
use tokio::sync::Mutex;

use crate::following::Following;
use crate::telemetry::metrics::{Gauges, Metrics};

/// What Prometheus's OpenMetrics parser expects.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Reads the gauges and writes the text, when somebody asks.
pub struct Scrape {
    metrics: Arc<Metrics>,
    postern: Arc<Postern>,
    following: Arc<Following>,
    budget_passes: AtomicU64,
    one_at_a_time: Mutex<()>,
}

impl Scrape {
    /// A reader of these.
    pub fn new(
        metrics: Arc<Metrics>,
        postern: Arc<Postern>,
        following: Arc<Following>,
    ) -> Arc<Self> {
        Arc::new(Self {
            metrics,
            postern,
            following,
            budget_passes: AtomicU64::new(0),
            one_at_a_time: Mutex::new(()),
        })
    }

    /// `GET /metrics`
    pub fn routes(self: Arc<Self>) -> Router {
        let answer = get(move || {
            let scrape = Arc::clone(&self);
            async move { scrape.answer().await }
        });
        Router::new().route("/metrics", answer)
    }

    async fn answer(&self) -> Response {
        let _turn = self.one_at_a_time.lock().await;
        let passes = self.postern.budget_passes();
        for _ in self.budget_passes.swap(passes, Ordering::Relaxed)..passes {
            self.metrics.guess_budget_passed();
        }
        let tally = self.postern.domain_tally();
        for rule in DomainRule::ALL {
            let (refused, logged) = (tally.refused(rule), tally.logged(rule));
            self.metrics.domain_rule(rule, refused, logged);
        }
        let text = self.metrics.render(self.gauges().await);
        ([(CONTENT_TYPE, OPENMETRICS)], text).into_response()
    }

    async fn gauges(&self) -> Gauges {
        let store = self.postern.store();
        // A store that does not answer shows in /readyz; the other figures are told all the same.
        let outbox = store.outbox().await.unwrap_or_default();
        let now = self.postern.now();
        Gauges {
            outbox_depth: outbox.depth,
            outbox_oldest: outbox
                .oldest
                .map(|queued| now.since(queued))
                .unwrap_or_default(),
            store_queue: store.waiting() as u64,
            snapshot_age: self.following.age(),
        }
    }
}
