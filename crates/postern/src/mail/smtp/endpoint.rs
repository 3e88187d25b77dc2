//! Where mail goes and how the way there is protected.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lettre::transport::smtp::authentication::Credentials;
use postern_core::model::{SecretText, TlsMode};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use crate::mail::Stage;

/// How long one address of a name is tried before the next.
const CONNECT_BOUND: Duration = Duration::from_secs(8);

/// An SMTP server that takes our mail.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Host name or address; also the name its certificate must carry.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// Login name and password, where the server wants them.
    pub login: Option<(String, SecretText)>,
    /// The name this side gives in EHLO: a host name of ours.
    pub hello: String,
}

impl Endpoint {
    pub(super) fn credentials(&self) -> Option<Credentials> {
        let (username, password) = self.login.as_ref()?;
        Some(Credentials::new(
            username.clone(),
            password.expose().to_owned(),
        ))
    }

    /// Everything that a server might repeat of the login and that must not be passed on.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Some((username, password)) = &self.login else {
            return Vec::new();
        };
        let plain = format!("\0{username}\0{}", password.expose());
        vec![
            BASE64_STANDARD.encode(plain),
            BASE64_STANDARD.encode(password.expose()),
            password.expose().to_owned(),
            username.clone(),
        ]
    }
}

/// Which certificate authorities vouch for SMTP servers.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those of the operating system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    #[default]
    System,
    /// Only these.
    Only(Vec<CertificateDer<'static>>),
}

/// Opens connections to one endpoint. The certificate store is read at the first use of TLS,
/// because that takes tens of milliseconds and many installations never need it.
#[derive(Debug)]
pub(super) struct Dialer {
    trust: Trust,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Dialer {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            trust,
            config: OnceCell::new(),
        }
    }

    /// A connected stream with Nagle's algorithm off: with it, the end of each message would wait
    /// some 40 ms for a delayed acknowledgement.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(TcpStream, SocketAddr), Failure> {
        let trouble = |error: io::Error| Failure::connection(Stage::Connect, error.to_string());
        let addresses = lookup_host((endpoint.host.as_str(), endpoint.port))
            .await
            .map_err(trouble)?;
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host name has no address");
        for address in addresses {
            if endpoint.tls == TlsMode::None && !address.ip().is_loopback() {
                return Err(Failure::misfit(
                    Stage::Connect,
                    "mail without TLS goes to loopback only",
                ));
            }
            let attempt = timeout(CONNECT_BOUND, TcpStream::connect(address)).await;
            match attempt.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
                Ok(stream) => {
                    stream.set_nodelay(true).map_err(trouble)?;
                    return Ok((stream, address));
                }
                Err(error) => last = error,
            }
        }
        Err(trouble(last))
    }

    pub(super) async fn encrypt(
        &self,
        endpoint: &Endpoint,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let config = self.config().await?;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| {
            Failure::misfit(Stage::Tls, "the host is not a name a certificate can carry")
        })?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        connected.map_err(|error| match error.kind() {
            // A certificate that is refused today is refused in a minute.
            io::ErrorKind::InvalidData => Failure::misfit(Stage::Tls, error.to_string()),
            _ => Failure::connection(Stage::Tls, error.to_string()),
        })
    }

    async fn config(&self) -> Result<Arc<ClientConfig>, Failure> {
        let made = self.config.get_or_try_init(|| async {
            let trust = self.trust.clone();
            let config = tokio::task::spawn_blocking(move || client_config(&trust)).await;
            config.map_err(|error| error.to_string())?
        });
        made.await
            .cloned()
            .map_err(|text: String| Failure::misfit(Stage::Tls, text))
    }
}

fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    match trust {
        Trust::System => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Trust::Only(certificates) => {
            roots.add_parsable_certificates(certificates.iter().cloned());
        }
    }
    if roots.is_empty() {
        return Err("no certificate authority is installed (package ca-certificates)".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
