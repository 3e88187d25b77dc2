//! Everything between the ports and the foundation.

use std::sync::Arc;

use tokio::sync::watch;

use super::error::{StartError, with_sources};
use super::foundation::Foundation;
use super::signing;
use crate::app::App;
use crate::config::{Config, Transport};
use crate::dashboard::{Dashboard, Tests};
use crate::following::Following;
use crate::freshness::Freshness;
use crate::health::Health;
use crate::hooks::Hooks;
use crate::https::Https;
use crate::listen::Drain;
use crate::mail::inbox::DevInbox;
use crate::mail::smtp::{Limits, Trust};
use crate::mail::{Development, Providers, Route};
use crate::oauth::bearer::Bearers;
use crate::oauth::{SecretUses, SigningKeys, SigningPool};
use crate::outbox::{Apart, Outbox, Pace, Parts};
use crate::router;
use crate::scrape::Scrape;
use crate::telemetry::metrics::Metrics;
use crate::world::{SystemClock, SystemEntropy};

/// The middle of the machine.
pub(super) struct House {
    pub(super) pages: axum::Router,
    pub(super) scraped: axum::Router,
    pub(super) outbox: Outbox,
    pub(super) following: Arc<Following>,
    pub(super) health: Health,
    pub(super) ready: watch::Sender<bool>,
}

impl House {
    /// Builds it on the foundation, for applications that know it as `url`.
    ///
    /// # Errors
    /// Signing keys that cannot be made or opened, an inbox that does not open, or no threads.
    pub(super) async fn build(
        config: &Config,
        foundation: &Foundation,
        url: &str,
        drain: &Drain,
    ) -> Result<Self, StartError> {
        let postern = &foundation.postern;
        signing::complete(postern).await?;
        let keys = SigningKeys::open(&postern.snapshot(), &postern.keyring())
            .map_err(|problem| StartError::Other(with_sources(&problem)))?;
        let metrics = Arc::new(Metrics::new());
        let (route, inbox) = way_out(config, foundation, &metrics)?;
        let outbox = outbox(config, foundation, url, Arc::clone(&route), &metrics)?;
        let bell = outbox.bell();
        let (ready, readiness) = watch::channel(true);
        let freshness = Freshness::new();
        let app = Arc::new(App {
            postern: Arc::clone(postern),
            public_url: url.to_owned(),
            keys: keys.clone(),
            signing: SigningPool::new(config.server.workers.get()),
            bearers: Bearers::new(keys.clone(), url),
            secret_uses: SecretUses::default(),
            entropy: Arc::new(SystemEntropy),
            outbox: Arc::new(move |delivery| bell.ring(delivery)),
            ready: readiness,
            freshness: freshness.clone(),
            hooks: Hooks::new(Arc::new(Https::default())),
            metrics: Arc::clone(&metrics),
        });
        let health = Health::new(
            Arc::clone(&foundation.engine),
            outbox.liveness(),
            drain.clone(),
        );
        let following = following(foundation, keys, freshness);
        let dashboard = dashboard(config, foundation, &app, (route, inbox.clone()));
        let scrape = Scrape::new(metrics, Arc::clone(postern), Arc::clone(&following));
        Ok(Self {
            pages: router::closed(
                router::router(&app)
                    .merge(health.clone().routes())
                    .merge(inbox.map(|inbox| inbox.router()).unwrap_or_default())
                    .merge(dashboard.router()),
            ),
            scraped: router::closed(scrape.routes().merge(health.clone().routes())),
            outbox,
            following,
            health,
            ready,
        })
    }
}

fn dashboard(
    config: &Config,
    foundation: &Foundation,
    app: &App,
    (route, inbox): WayOut,
) -> Arc<Dashboard> {
    Arc::new(Dashboard {
        postern: Arc::clone(&app.postern),
        admin: foundation.admin(&app.public_url),
        url: app.public_url.clone(),
        outbox: Arc::clone(&app.outbox),
        templates: Arc::clone(&foundation.templates),
        route,
        inbox,
        development_file: config.development_file(),
        tests: Tests::default(),
    })
}

/// The way of mails, and where they are kept in development.
type WayOut = (Arc<dyn Route>, Option<Arc<DevInbox>>);

/// What follows the changes of others.
fn following(foundation: &Foundation, keys: SigningKeys, freshness: Freshness) -> Arc<Following> {
    Arc::new(Following::new(
        Arc::clone(&foundation.postern),
        Arc::clone(&foundation.keyring),
        keys,
        foundation.root_keys_file.clone(),
        foundation.disposable.clone(),
        freshness,
    ))
}

/// Which way mails go, and where they are kept in development.
fn way_out(
    config: &Config,
    foundation: &Foundation,
    metrics: &Arc<Metrics>,
) -> Result<WayOut, StartError> {
    let limits = Limits {
        connections: config.outbox.concurrency.max(1),
        ..Limits::default()
    };
    let (postern, metrics) = (Arc::clone(&foundation.postern), Arc::clone(metrics));
    let providers = Providers::new(postern, Trust::System, limits, metrics);
    match config.outbox.transport {
        Transport::Smtp => Ok((Arc::new(providers), None)),
        Transport::Inbox => {
            let file = foundation.inbox_file();
            let inbox = DevInbox::open(&file, Arc::new(SystemClock))
                .map_err(|error| StartError::Other(with_sources(&error)))?;
            let route = Development::new(inbox.carrier(), providers);
            Ok((Arc::new(route), Some(inbox)))
        }
    }
}

fn outbox(
    config: &Config,
    foundation: &Foundation,
    url: &str,
    route: Arc<dyn Route>,
    metrics: &Arc<Metrics>,
) -> Result<Outbox, StartError> {
    let parts = Parts {
        postern: Arc::clone(&foundation.postern),
        templates: Arc::clone(&foundation.templates),
        route,
        public_url: url.to_owned(),
        entropy: Arc::new(SystemEntropy),
        metrics: Arc::clone(metrics),
        node: foundation.node,
    };
    let apart = Apart::start()
        .map_err(|error| StartError::Other(format!("no threads for mails: {error}")))?;
    let pace = Pace {
        concurrency: config.outbox.concurrency,
        alone: !foundation.engine.shared(),
        ..Pace::default()
    };
    Ok(Outbox::start(parts, pace, Some(apart)))
}
