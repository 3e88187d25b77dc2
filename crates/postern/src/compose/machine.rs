use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use postern_core::flow::Postern;
use postern_core::ports::Engine;
use tokio::task::{JoinError, JoinSet};

use super::error::StartError;
use super::foundation::Foundation;
use super::house::House;
use super::ports::Ports;
use crate::admin::Socket;
use crate::config::Config;
use crate::listen::{Drain, Listener};
use crate::outbox::Outbox;
use crate::{certificates, projecting, sweeping};

/// The server, built and listening, not yet answering.
pub struct Machine {
    foundation: Foundation,
    listener: Listener,
    pages: axum::Router,
    drain: Drain,
    outbox: Outbox,
    beside: JoinSet<()>,
    url: String,
    address: SocketAddr,
    config: Config,
}

impl Machine {
    /// Holds the data directory, opens the ports, and builds what stands between.
    ///
    /// # Errors
    /// The first thing that cannot be opened.
    pub async fn build(config: Config) -> Result<Self, StartError> {
        Self::build_around(config, |engine| engine).await
    }

    /// As [`Self::build`], on what `around` makes of the store's engine: a test of whether broken
    /// promises are noticed puts one that breaks them between.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub async fn build_around(
        config: Config,
        around: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>,
    ) -> Result<Self, StartError> {
        let foundation = Foundation::lay(&config, around).await?;
        let ports = Ports::open(&config)?;
        let socket = Socket::open(foundation.dir.path()).map_err(|error| StartError::Data {
            dir: config.data.dir.clone(),
            reason: format!("the admin socket: {error}"),
        })?;
        let drain = Drain::new();
        let house = House::build(&config, &foundation, &ports.url, &drain).await?;

        let mut beside = JoinSet::new();
        if let Some(listener) = ports.metrics {
            beside.spawn(listener.serve(house.scraped, drain.clone()));
        }
        if let (Some(tls), Some(files)) = (ports.tls, config.tls.clone()) {
            beside.spawn(certificates::follow(tls, files));
        }
        beside.spawn(socket.serve(Arc::new(foundation.admin(&ports.url))));
        let following = Arc::clone(&house.following);
        beside.spawn(async move { following.follow().await });
        let following = Arc::clone(&house.following);
        beside.spawn(async move { following.follow_templates().await });
        beside.spawn(async move { house.following.record().await });
        beside.spawn(sweeping::sweep(Arc::clone(&foundation.postern)));
        beside.spawn(projecting::project(Arc::clone(&foundation.postern)));
        beside.spawn(house.health.watch(house.ready));
        let (listener, url, address) = (ports.listener, ports.url, ports.address);
        Ok(Self {
            foundation,
            listener,
            pages: house.pages,
            drain,
            outbox: house.outbox,
            beside,
            url,
            address,
            config,
        })
    }

    /// The origin that applications use.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The flows.
    pub fn postern(&self) -> &Arc<Postern> {
        &self.foundation.postern
    }

    /// Answers until `stop`, then leaves: goodbye is said, what is in flight is finished, and
    /// everything is closed before what it stands on.
    ///
    /// # Errors
    /// A part that should run for ever broke down. Without it the server would go on wrongly (a
    /// revoked client would stay good), so it has left.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), StartError> {
        let Self {
            foundation,
            listener,
            pages,
            drain,
            outbox,
            mut beside,
            config,
            ..
        } = self;
        let serving = tokio::spawn(listener.serve(pages, drain.clone()));
        let broken = tokio::select! {
            () = stop => None,
            Some(ended) = beside.join_next() => Some(broken(ended)),
        };
        tracing::info!(
            drain_seconds = config.server.drain.as_secs_f64(),
            "stopping"
        );
        drain.leave(config.server.drain).await;
        if serving.await.is_err() {
            tracing::error!("the listener broke down");
        }
        outbox.stop().await;
        beside.shutdown().await;
        foundation.settle().await;
        tracing::info!("stopped");
        broken.map_or(Ok(()), Err)
    }
}

fn broken(ended: Result<(), JoinError>) -> StartError {
    let why = ended
        .err()
        .map_or("it ended".to_owned(), |error| error.to_string());
    StartError::Other(format!("a part of the server broke down: {why}"))
}
