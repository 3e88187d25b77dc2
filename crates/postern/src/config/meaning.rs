//! What a configuration means, once it is known to make sense.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use postern_core::model::SecretText;
use postern_store::PostgresTuning;

use super::PublicUrl;
use crate::telemetry::logs::LogConfig;

/// How the server is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `postern dev`: on loopback, with the development inbox.
    Dev,
    /// `postern serve`: production.
    Serve,
}

/// A configuration that makes sense.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the server is meant to run.
    pub mode: Mode,
    /// The listener.
    pub server: ServerConfig,
    /// Certificate and key; `None` serves plain HTTP.
    pub tls: Option<TlsConfig>,
    /// What is kept and where.
    pub data: DataConfig,
    /// How a PostgreSQL store is used.
    pub postgres: PostgresTuning,
    /// Where mails go.
    pub outbox: OutboxConfig,
    /// Bounds of what is held in memory.
    pub limits: LimitsConfig,
    /// The log.
    pub log: LogConfig,
    /// The listener of metrics and health.
    pub metrics: Option<SocketAddr>,
}

impl Config {
    /// Where a development server keeps what its application needs, the secret included.
    pub fn development_file(&self) -> Option<PathBuf> {
        let file = self.data.dir.join(DEVELOPMENT_FILE);
        (self.mode == Mode::Dev).then_some(file)
    }
}

/// The file in the data directory with the credentials that `postern dev` made.
pub const DEVELOPMENT_FILE: &str = "dev.env";

/// The listener.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The origin of links, issuer and cookies. `None` only in development: the listener's own.
    pub public_url: Option<PublicUrl>,
    /// How long a stopping server goes on answering.
    pub drain: Duration,
    /// Threads that serve requests.
    pub workers: NonZeroUsize,
}

/// Certificate and key, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The chain, leaf first.
    pub certificate_file: PathBuf,
    /// The leaf's private key.
    pub key_file: PathBuf,
    /// How often both are looked at for a change.
    pub reload_every: Duration,
}

/// What is kept and where.
#[derive(Clone, Debug)]
pub struct DataConfig {
    /// The data directory.
    pub dir: PathBuf,
    /// The store, when it is not the file in the data directory. May hold a password.
    pub database_url: Option<SecretText>,
    /// The keyring of root secrets.
    pub root_keys_file: PathBuf,
    /// The disposable domains; empty for the shipped list.
    pub disposable_domains_file: PathBuf,
    /// Memory for database pages, in bytes.
    pub page_cache: u64,
}

/// Where mails go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The mail provider kept in the store.
    Smtp,
    /// The development inbox.
    Inbox,
}

/// Where mails go, and how many at a time.
#[derive(Clone, Copy, Debug)]
pub struct OutboxConfig {
    /// Where mails go.
    pub transport: Transport,
    /// Mails handed on at the same time; 0 pauses.
    pub concurrency: usize,
}

/// Bounds of what is held in memory.
#[derive(Clone, Copy, Debug)]
pub struct LimitsConfig {
    /// Open connections.
    pub connections: usize,
    /// Acts that wait for the store's writer.
    pub store_queue: usize,
}
