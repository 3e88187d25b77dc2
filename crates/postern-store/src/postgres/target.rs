use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::tls;
use crate::connect::{ConnectError, PostgresTuning};

/// How long one host may take to answer a connection, unless the URL says otherwise.
const CONNECT: Duration = Duration::from_secs(3);
/// When a silent connection is given up.
const SILENCE: Duration = Duration::from_secs(10);
/// After how much idleness the system asks whether the other side is still there.
const IDLE: Duration = Duration::from_secs(15);

/// Where the database is and how it is spoken to.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) tuning: PostgresTuning,
    /// Whether transactions ask first for the fence, which copying and migrating do not.
    pub(super) heeds_fence: bool,
}

impl Target {
    /// Reads the URL. What libpq knows is taken as libpq takes it, but for TLS: every `sslmode` but
    /// `disable` verifies the certificate and the name. `password_file` is ours.
    ///
    /// # Errors
    /// The URL does not read, or asks for what we do not do; the password is never told.
    pub(super) fn parse(url: &str, tuning: PostgresTuning) -> Result<Self, ConnectError> {
        let (ours, rest) = Ours::split(url);
        let mut config: Config = rest.parse().map_err(|error| refused(&error))?;
        if let Some(file) = &ours.password_file {
            let password = std::fs::read_to_string(file).map_err(|source| ConnectError::File {
                path: file.into(),
                source,
            })?;
            config.password(password.trim_end_matches(['\r', '\n']));
        }
        let encrypted = ours.encrypted(&config)?;
        config.ssl_mode(if encrypted {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        let root = ours.root.as_deref().map(Path::new).filter(|_| encrypted);
        fill(&mut config, &tuning);
        Ok(Self {
            config,
            tls: tls::client(encrypted, root)?,
            tuning,
            heeds_fence: true,
        })
    }

    /// The same, for who works behind the fence.
    pub(super) fn heedless(self) -> Self {
        Self {
            heeds_fence: false,
            ..self
        }
    }
}

/// What holds unless the URL says otherwise.
fn fill(config: &mut Config, tuning: &PostgresTuning) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(SILENCE);
    }
    config.keepalives_idle(IDLE);
    if config.get_application_name().is_none() {
        config.application_name("postern");
    }
    let hosts = config.get_hosts().len().max(config.get_hostaddrs().len());
    if hosts > 1 && config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if tuning.prepared {
        let given = config.get_options().unwrap_or_default().to_owned();
        config.options(format!("{} {given}", session_options(tuning)).trim_end());
    }
}

/// What the server is told at the start of a session. No timeout of the server covers a commit:
/// `lock_timeout` ends waits for rows only, and the others count while a transaction stands idle.
fn session_options(tuning: &PostgresTuning) -> String {
    format!(
        "-c lock_timeout={} -c idle_in_transaction_session_timeout={} -c statement_timeout=0",
        tuning.lock_timeout.as_millis(),
        (tuning.statement_timeout * 2).as_millis()
    )
}

/// The parameters of the URL that the driver does not know, or takes otherwise.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    root: Option<String>,
    password_file: Option<String>,
}

impl Ours {
    fn split(url: &str) -> (Self, String) {
        let mut ours = Self::default();
        let Some((before, query)) = url.split_once('?') else {
            return (ours, url.to_owned());
        };
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let decoded = form_urlencoded::parse(pair.as_bytes()).next();
            let (key, value) = decoded.unwrap_or_default();
            match key.as_ref() {
                "sslmode" => ours.mode = Some(value.into_owned()),
                "sslrootcert" => ours.root = Some(value.into_owned()),
                "password_file" => ours.password_file = Some(value.into_owned()),
                _ => rest.push(pair),
            }
        }
        (ours, format!("{before}?{}", rest.join("&")))
    }

    fn encrypted(&self, config: &Config) -> Result<bool, ConnectError> {
        match self.mode.as_deref() {
            Some("disable") => Ok(false),
            Some("require" | "verify-ca" | "verify-full") => Ok(true),
            None => Ok(!config.get_hosts().iter().all(is_here)),
            Some(other) => Err(ConnectError::Url(format!(
                "sslmode={other} would let anybody in between take TLS away: write sslmode=verify-full, or \
                 sslmode=disable where the network is trusted"
            ))),
        }
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
        }
    }
}

fn refused(error: &tokio_postgres::Error) -> ConnectError {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    ConnectError::Url(format!("{error}{}", cause.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Target {
        Target::parse(url, PostgresTuning::default()).unwrap()
    }

    #[test]
    fn a_database_elsewhere_is_spoken_to_over_tls_and_one_here_is_not() {
        let mode = |url| parse(url).config.get_ssl_mode();
        assert_eq!(mode("postgres://u@db.example.com/p"), SslMode::Require);
        assert_eq!(
            mode("postgres://u@db.example.com/p?sslmode=disable"),
            SslMode::Disable
        );
        assert_eq!(mode("postgres://u@127.0.0.1/p"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost,db2/p"), SslMode::Require);
        assert_eq!(mode("postgres:///p?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(
            mode("postgres://u@[::1]/p?sslmode=verify-full"),
            SslMode::Require
        );
    }

    #[test]
    fn a_mode_that_can_be_talked_down_is_refused() {
        let refused = Target::parse(
            "postgres://u@db/p?sslmode=prefer",
            PostgresTuning::default(),
        );
        let told = refused.err().unwrap().to_string();
        assert!(told.contains("sslmode=verify-full"), "{told}");
    }

    #[test]
    fn several_hosts_are_asked_for_the_one_that_takes_writes() {
        let target = parse("postgres://u@a:5432,b:5433/p?sslmode=disable");
        let config = &target.config;
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(
            config.get_target_session_attrs(),
            TargetSessionAttrs::ReadWrite
        );
    }

    #[test]
    fn the_password_may_come_from_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("db password");
        std::fs::write(&file, "s3cret\n").unwrap();
        let shown = file.display().to_string().replace(' ', "%20");
        let url = format!("postgres://u@localhost/p?password_file={shown}&application_name=two");
        let target = parse(&url);
        assert_eq!(target.config.get_password(), Some(b"s3cret".as_slice()));
        assert_eq!(target.config.get_application_name(), Some("two"));
    }

    #[test]
    fn a_url_that_does_not_read_is_refused_without_its_password() {
        let refused = Target::parse("postgres://u:hunter2@db:port/p", PostgresTuning::default());
        let told = format!("{:?}", refused.err().unwrap());
        assert!(!told.contains("hunter2"), "{told}");
    }
}
