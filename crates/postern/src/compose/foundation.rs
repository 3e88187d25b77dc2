//! What every use of a store stands on: the directory's lock, the engine, the keyring, the flows.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use postern_core::flow::{Parts, Postern};
use postern_core::keyring::{Keyring, RootSecret};
use postern_core::model::{NodeId, SecretText};
use postern_core::ports::{Engine, random};
use postern_store::{DataDir, Tuning, connect, migrate};

use super::error::StartError;
use crate::admin::Admin;
use crate::config::{Config, Mode, Transport};
use crate::disposable::Disposable;
use crate::mail::Templates;
use crate::private_file;
use crate::root_keys::{RootKeys, RootKeysError};
use crate::world::{SystemClock, SystemEntropy, name};

/// The lower half of the machine.
pub(super) struct Foundation {
    pub(super) dir: DataDir,
    pub(super) node: NodeId,
    pub(super) engine: Arc<dyn Engine>,
    pub(super) keyring: Arc<ArcSwap<Keyring>>,
    pub(super) root_keys_file: PathBuf,
    pub(super) templates: Arc<Templates>,
    pub(super) disposable: Disposable,
    pub(super) postern: Arc<Postern>,
}

impl Foundation {
    /// Holds the data directory, opens the engine and the keyring, and reads the registry. All else
    /// stands on what `around` makes of the engine.
    ///
    /// # Errors
    /// The directory is in use, or one of them cannot be opened.
    pub(super) async fn lay(
        config: &Config,
        around: impl FnOnce(Arc<dyn Engine>) -> Arc<dyn Engine>,
    ) -> Result<Self, StartError> {
        let dir = DataDir::open(&config.data.dir)?;
        let keyring = keyring(config)?;
        let node = NodeId(name());
        let (url, tuning) = (store_url(config, &dir), tuning(config));
        if config.mode == Mode::Dev && config.data.database_url.is_some() {
            migrate(url.expose(), Arc::new(SystemClock), tuning).await?;
        }
        let engine = around(connect(url.expose(), node, Arc::new(SystemClock), tuning).await?);
        let registry = engine
            .snapshot()
            .await
            .map_err(|error| StartError::Other(format!("{error}")))?;
        let keyring = Arc::new(ArcSwap::from_pointee(keyring));
        let templates = Arc::new(Templates::built_in());
        let disposable = Disposable::read(&config.data.disposable_domains_file)?;
        let postern = Arc::new(Postern::new(Parts {
            store: Arc::clone(&engine),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            templates: Arc::clone(&templates) as _,
            keyring: Arc::clone(&keyring),
            snapshot: Arc::new(ArcSwap::from_pointee(registry)),
            disposable: disposable.list(),
            inbox: config.outbox.transport == Transport::Inbox,
        }));
        if let Err(error) = postern.follow_templates().await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the built-in mail templates serve until the custom ones can be read"
            );
        }
        let root_keys_file = config.data.root_keys_file.clone();
        Ok(Self {
            dir,
            node,
            engine,
            keyring,
            root_keys_file,
            templates,
            disposable,
            postern,
        })
    }

    /// Where mails are kept in development.
    pub(super) fn inbox_file(&self) -> PathBuf {
        self.dir.path().join("inbox.db")
    }

    /// The commands on it, for browsers that know the server as `url`.
    pub(super) fn admin(&self, url: &str) -> Admin {
        Admin {
            postern: Arc::new(self.postern.acting("command line")),
            entropy: Arc::new(SystemEntropy),
            keyring: Arc::clone(&self.keyring),
            root_keys_file: self.root_keys_file.clone(),
            data: self.dir.path().to_owned(),
            serving: true,
            inbox_file: self.inbox_file(),
            url: url.to_owned(),
        }
    }

    /// Writes down what is only in memory yet, then closes.
    pub(super) async fn settle(self) {
        if let Err(error) = self.postern.record_throttled(true).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "throttled calls were not written down"
            );
        }
        self.close().await;
    }

    /// Ends the engine and gives the directory back.
    pub(super) async fn close(self) {
        self.engine.close().await;
        drop(self.dir);
    }
}

/// Brings the schema of the configured store up to this release; answers the names of what was applied.
///
/// # Errors
/// It cannot be reached, or is not one of ours. A file that a server holds is that server's to bring up.
pub(super) async fn bring_up(config: &Config) -> Result<Vec<String>, StartError> {
    let clock = Arc::new(SystemClock);
    if let Some(url) = &config.data.database_url {
        return Ok(migrate(url.expose(), clock, tuning(config)).await?);
    }
    let dir = DataDir::open(&config.data.dir)?;
    Ok(migrate(&dir.store_url(), clock, tuning(config)).await?)
}

fn store_url(config: &Config, dir: &DataDir) -> SecretText {
    let shared = config.data.database_url.clone();
    shared.unwrap_or_else(|| SecretText::new(dir.store_url()))
}

fn tuning(config: &Config) -> Tuning {
    Tuning {
        queue: config.limits.store_queue,
        page_cache_kib: u32::try_from(config.data.page_cache / 1024).unwrap_or(u32::MAX),
        postgres: config.postgres,
        #[cfg(feature = "testing")]
        drag: crate::faults::drag(),
        ..Tuning::default()
    }
}

/// The roots of the configured file; in development they are made at the first start.
fn keyring(config: &Config) -> Result<Keyring, StartError> {
    let file = &config.data.root_keys_file;
    let roots = match RootKeys::read(file) {
        Err(RootKeysError::Missing(_)) if config.mode == Mode::Dev => {
            let first = RootSecret::new(random(&SystemEntropy));
            RootKeys::edit(file, Some(first), |_| Ok(()))?
        }
        read => read?,
    };
    if private_file::is_open_to_others(file) {
        tracing::warn!(file = %file.display(), "other users can read the root keys: chmod 600");
    }
    roots
        .keyring()
        .map_err(|problem| StartError::Other(problem.to_string()))
}
