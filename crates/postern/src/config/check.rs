//! From what was typed to what it means; where unsafe combinations are refused.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use postern_core::model::SecretText;
use postern_store::PostgresTuning;

use super::meaning::{
    Config, DataConfig, LimitsConfig, Mode, OutboxConfig, ServerConfig, TlsConfig, Transport,
};
use super::raw::RawConfig;
use super::{ConfigError, Layers, PublicUrl, units};
use crate::telemetry::logs::{LogConfig, LogFormat};

impl Config {
    /// Reads the layers; refuses as a whole and names every problem.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] with one sentence a problem, each saying what to write.
    pub fn read(layers: &Layers, mode: Mode) -> Result<Self, ConfigError> {
        if !layers.problems().is_empty() {
            return Err(ConfigError::Refused(layers.problems().to_vec()));
        }
        let raw: RawConfig = layers
            .tables()
            .try_into()
            .map_err(|error| ConfigError::Refused(vec![format!("{error}")]))?;
        let mut check = Check {
            layers,
            problems: Vec::new(),
        };
        let config = check.config(&raw, mode);
        match (config, check.problems) {
            (Some(config), problems) if problems.is_empty() => Ok(config),
            (_, problems) => Err(ConfigError::Refused(problems)),
        }
    }
}

struct Check<'a> {
    layers: &'a Layers,
    problems: Vec<String>,
}

/// A value was refused, and the problem told.
struct Told;

impl Check<'_> {
    fn config(&mut self, raw: &RawConfig, mode: Mode) -> Option<Config> {
        let (server, tls) = (self.server(raw), self.tls(raw));
        let (data, outbox) = (self.data(raw), self.outbox(raw));
        let postgres = self.postgres(raw);
        let (limits, log, metrics) = (self.limits(raw), self.log(raw), self.metrics(raw));
        if mode == Mode::Serve {
            self.refuse_unsafe(raw, server.as_ref());
        }
        Some(Config {
            mode,
            server: server?,
            tls: tls.ok()?,
            data: data?,
            postgres: postgres?,
            outbox: outbox?,
            limits: limits?,
            log: log?,
            metrics: metrics.ok()?,
        })
    }

    /// What `serve` does not start with, whatever each value by itself says.
    fn refuse_unsafe(&mut self, raw: &RawConfig, server: Option<&ServerConfig>) {
        if raw.server.public_url.is_empty() {
            self.problems.push(MISSING_PUBLIC_URL.to_owned());
        }
        if raw.data.root_keys_file.is_empty() {
            self.problems.push(MISSING_ROOT_KEYS.to_owned());
        }
        if raw.outbox.transport == "inbox" {
            self.problems.push(DEV_INBOX.to_owned());
        }
        let plain = raw.tls.certificate_file.is_empty() && !raw.server.tls_terminated_by_proxy;
        if let Some(listen) = server
            .map(|server| server.listen)
            .filter(|listen| plain && !listen.ip().is_loopback())
        {
            self.problems
                .push(format!("server.listen {listen} {PLAIN_HTTP}"));
        }
    }

    fn server(&mut self, raw: &RawConfig) -> Option<ServerConfig> {
        let listen = self.address("server.listen", &raw.server.listen);
        let public_url = match raw.server.public_url.as_str() {
            "" => Some(None),
            text => self
                .parsed("server.public_url", PublicUrl::parse(text))
                .map(Some),
        };
        let drain = self.parsed("server.drain", units::duration(&raw.server.drain));
        let workers = self.number("server.workers", raw.server.workers, 0, 1024);
        let embedded = raw.data.database_url.is_empty();
        let workers = workers
            .map(|asked| NonZeroUsize::new(asked).unwrap_or_else(|| default_workers(embedded)));
        Some(ServerConfig {
            listen: listen?,
            public_url: public_url?,
            drain: drain?,
            workers: workers?,
        })
    }

    fn tls(&mut self, raw: &RawConfig) -> Result<Option<TlsConfig>, Told> {
        let every = units::duration(&raw.tls.reload_every);
        let every = self.parsed("tls.reload_every", every).ok_or(Told)?;
        let half = match (raw.tls.certificate_file.as_str(), raw.tls.key_file.as_str()) {
            ("", "") => return Ok(None),
            ("", _) => "tls.key_file is set without tls.certificate_file",
            (_, "") => "tls.certificate_file is set without tls.key_file",
            (certificate, key) => {
                return Ok(Some(TlsConfig {
                    certificate_file: certificate.into(),
                    key_file: key.into(),
                    reload_every: every.max(Duration::from_millis(100)),
                }));
            }
        };
        self.problems
            .push(format!("{half}: write both under [tls]"));
        Err(Told)
    }

    fn data(&mut self, raw: &RawConfig) -> Option<DataConfig> {
        let page_cache = self.parsed("data.page_cache", units::size(&raw.data.page_cache));
        if raw.data.dir.is_empty() {
            self.problems
                .push("data.dir is empty: write the data directory under [data]".to_owned());
        }
        Some(DataConfig {
            dir: raw.data.dir.clone().into(),
            database_url: self.database_url(&raw.data.database_url).ok()?,
            root_keys_file: raw.data.root_keys_file.clone().into(),
            disposable_domains_file: raw.data.disposable_domains_file.clone().into(),
            page_cache: page_cache?,
        })
    }

    /// The URL is not told in a problem: it may hold a password.
    fn database_url(&mut self, url: &str) -> Result<Option<SecretText>, Told> {
        let known = ["postgres://", "postgresql://"];
        if url.is_empty() || known.iter().any(|scheme| url.starts_with(scheme)) {
            return Ok((!url.is_empty()).then(|| SecretText::new(url)));
        }
        let refused = self.wrong(
            "data.database_url",
            "it names no PostgreSQL: write \"postgres://USER@HOST/DATABASE\", or nothing for the file in data.dir",
        );
        refused.ok_or(Told)
    }

    fn postgres(&mut self, raw: &RawConfig) -> Option<PostgresTuning> {
        let raw = &raw.postgres;
        let writers = self.number("postgres.writers", raw.writers, 1, 64);
        let connections = self.number("postgres.connections", raw.connections, 1, 1000);
        let statement = self.waiting("postgres.statement_timeout", &raw.statement_timeout);
        let lock = self.waiting("postgres.lock_timeout", &raw.lock_timeout);
        let commit = self.waiting("postgres.commit_timeout", &raw.commit_timeout);
        Some(PostgresTuning {
            writers: writers?,
            connections: connections?,
            statement_timeout: statement?,
            lock_timeout: lock?,
            commit_timeout: commit?,
            prepared: raw.prepared,
            ..PostgresTuning::default()
        })
    }

    /// A time to wait: 100 ms to 10 min.
    fn waiting(&mut self, key: &str, text: &str) -> Option<Duration> {
        let span = self.parsed(key, units::duration(text))?;
        if (Duration::from_millis(100)..=Duration::from_mins(10)).contains(&span) {
            return Some(span);
        }
        self.wrong(
            key,
            &format!("{text:?} is out of range: write 100ms to 10 min"),
        )
    }

    fn outbox(&mut self, raw: &RawConfig) -> Option<OutboxConfig> {
        let transport = match raw.outbox.transport.as_str() {
            "smtp" => Some(Transport::Smtp),
            "inbox" => Some(Transport::Inbox),
            other => self.wrong(
                "outbox.transport",
                &format!("{other:?} is not a transport: write \"smtp\""),
            ),
        };
        let concurrency = self.number("outbox.concurrency", raw.outbox.concurrency, 0, 1000);
        Some(OutboxConfig {
            transport: transport?,
            concurrency: concurrency?,
        })
    }

    fn limits(&mut self, raw: &RawConfig) -> Option<LimitsConfig> {
        let connections = self.number("limits.connections", raw.limits.connections, 1, 1_000_000);
        let store_queue = self.number("limits.store_queue", raw.limits.store_queue, 1, 1_000_000);
        Some(LimitsConfig {
            connections: connections?,
            store_queue: store_queue?,
        })
    }

    fn log(&mut self, raw: &RawConfig) -> Option<LogConfig> {
        let format = match raw.log.format.as_str() {
            "auto" => LogFormat::Auto,
            "pretty" => LogFormat::Pretty,
            "json" => LogFormat::Json,
            other => {
                return self.wrong(
                    "log.format",
                    &format!("{other:?} is not a format: write \"auto\", \"pretty\" or \"json\""),
                );
            }
        };
        let log = LogConfig {
            format,
            filter: raw.log.filter.clone(),
        };
        if let Some(typo) = log.misspelt() {
            let told =
                format!("{typo:?} is neither a level nor TARGET=LEVEL: write such as \"info\"");
            return self.wrong("log.filter", &told);
        }
        match log.filter() {
            Ok(_) => Some(log),
            Err(error) => self.wrong(
                "log.filter",
                &format!("{:?} is not a filter: {error}", log.filter),
            ),
        }
    }

    fn metrics(&mut self, raw: &RawConfig) -> Result<Option<SocketAddr>, Told> {
        match raw.metrics.listen.as_str() {
            "" => Ok(None),
            text => self.address("metrics.listen", text).map(Some).ok_or(Told),
        }
    }

    fn address(&mut self, key: &str, text: &str) -> Option<SocketAddr> {
        let wrong = || {
            format!("{text:?} is not an address with a port: write one such as \"127.0.0.1:8080\"")
        };
        let text = text
            .strip_prefix("localhost:")
            .map_or(text.to_owned(), |port| format!("127.0.0.1:{port}"));
        self.parsed(key, text.parse().map_err(|_| wrong()))
    }

    fn number(&mut self, key: &str, value: i64, least: usize, most: usize) -> Option<usize> {
        match usize::try_from(value) {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            _ => self.wrong(
                key,
                &format!("{value} is out of range: write {least} to {most}"),
            ),
        }
    }

    fn parsed<T>(&mut self, key: &str, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|problem| self.wrong::<()>(key, &problem))
            .ok()
    }

    fn wrong<T>(&mut self, key: &str, problem: &str) -> Option<T> {
        let origin = self.layers.origin(key);
        self.problems.push(format!("{key} ({origin}): {problem}"));
        None
    }
}

/// One for each core, but for the one that the embedded store's writer thread has.
fn default_workers(embedded: bool) -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let others = cores.get() - usize::from(embedded);
    NonZeroUsize::new(others).unwrap_or(NonZeroUsize::MIN)
}

const MISSING_PUBLIC_URL: &str = "server.public_url is missing: write the origin that applications use, such as public_url = \"https://auth.example.com\", under [server]";
const MISSING_ROOT_KEYS: &str = "data.root_keys_file is missing: write root_keys_file = \"/etc/postern/root.keys\" under [data] \
     and make the file with `postern keys root add --config FILE`";
const DEV_INBOX: &str = "outbox.transport = \"inbox\" belongs to `postern dev`: in production every mail would be readable by anybody \
     on this machine; write transport = \"smtp\" under [outbox]";
const PLAIN_HTTP: &str = "is not loopback and would serve plain HTTP: write certificate_file and key_file under [tls], or, when a proxy \
     in front terminates TLS, tls_terminated_by_proxy = true under [server]";
