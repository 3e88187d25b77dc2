//! What was typed, table by table, after all layers were laid over one another.

use serde::Deserialize;

/// Every table of `postern.default.toml` but the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) server: RawServer,
    pub(super) tls: RawTls,
    pub(super) data: RawData,
    pub(super) postgres: RawPostgres,
    pub(super) outbox: RawOutbox,
    pub(super) limits: RawLimits,
    pub(super) log: RawLog,
    pub(super) metrics: RawMetrics,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) listen: String,
    pub(super) public_url: String,
    pub(super) tls_terminated_by_proxy: bool,
    pub(super) drain: String,
    pub(super) workers: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) certificate_file: String,
    pub(super) key_file: String,
    pub(super) reload_every: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    pub(super) dir: String,
    pub(super) database_url: String,
    pub(super) root_keys_file: String,
    pub(super) disposable_domains_file: String,
    pub(super) page_cache: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPostgres {
    pub(super) writers: i64,
    pub(super) connections: i64,
    pub(super) statement_timeout: String,
    pub(super) lock_timeout: String,
    pub(super) commit_timeout: String,
    pub(super) prepared: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutbox {
    pub(super) transport: String,
    pub(super) concurrency: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) connections: i64,
    pub(super) store_queue: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: String,
    pub(super) filter: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetrics {
    pub(super) listen: String,
}
