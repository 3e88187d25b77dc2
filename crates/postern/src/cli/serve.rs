//! `postern serve`.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use super::args::ServeArgs;
use super::config;
use super::exit::Failure;
use crate::compose::{self, Machine, StartError};
use crate::config::{Config, Mode, Origin};
use crate::telemetry::logs;
use crate::world;

/// Runs the server until it is told to stop.
pub(super) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let mut layers = config::layers(Some(&args.config.config), &args.config.set)?;
    for (key, flag, value) in [
        ("server.listen", "--listen", &args.listen),
        ("server.public_url", "--public-url", &args.public_url),
        ("data.database_url", "--database", &args.database),
        ("metrics.listen", "--metrics", &args.metrics),
    ] {
        if let Some(value) = value {
            layers.put_text(key, value, Origin::Flag(flag));
        }
    }
    let config = Config::read(&layers, Mode::Serve)?;
    world::seed_early();
    logs::init(&config.log).map_err(Failure::failed)?;
    compose::runtime(&config)?.block_on(async {
        let stop = Stop::watch()?;
        let machine = Machine::build(config).await?;
        tracing::info!(address = %machine.address(), url = machine.url(), "serving");
        machine.run(stop.asked()).await.map_err(Failure::from)
    })
}

/// The signals that ask the process to stop. A second one ends it at once.
pub(super) struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    /// Takes the signals over from the system's default.
    pub(super) fn watch() -> Result<Self, StartError> {
        let take = || -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            })
        };
        take().map_err(|error| StartError::Other(format!("cannot watch for signals: {error}")))
    }

    /// Waits for the first; from then on the next one ends the process.
    pub(super) async fn asked(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            tracing::warn!("told to stop again: ending at once");
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
