//! A node that keeps a promise less: the real server on a store that breaks it.

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use postern::compose::{self, Machine};
use postern::config::{Config, Layers, Mode};
use tokio::signal::unix::{SignalKind, signal};

use crate::broken::{Breakage, Broken};

/// What is served, and which promise it breaks.
#[derive(Args)]
pub(crate) struct Options {
    /// The node's configuration.
    #[arg(long)]
    config: PathBuf,
    /// The promise that its store breaks.
    #[arg(long)]
    breaks: Option<Breakage>,
    /// Commits do not wait for the disk (SQLite's `synchronous=OFF`).
    #[arg(long)]
    hasty: bool,
}

/// Serves until SIGTERM.
///
/// # Errors
/// It does not start.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let mut layers = Layers::defaults();
    layers.file(&options.config)?;
    let config = Config::read(&layers, Mode::Serve).map_err(|error| anyhow!("{error}"))?;
    if options.hasty {
        postern_store::testing::commit_without_waiting_for_the_disk();
    }
    let breaks = options.breaks;
    compose::runtime(&config)?.block_on(async move {
        let mut terminate = signal(SignalKind::terminate())?;
        let around = move |engine| match breaks {
            Some(breakage) => Broken::around(engine, breakage),
            None => engine,
        };
        let machine = Machine::build_around(config, around).await?;
        let stop = async move {
            terminate.recv().await;
        };
        machine.run(stop).await?;
        Ok(())
    })
}
