//! Where mail goes and how the way there is protected.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use postern_core::model::TlsMode;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use super::login::Login;
use super::tape::Tape;
use crate::mail::{Matter, Stage};
use crate::trust::{Client, Trust, Unanswered};

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
    /// How to log in, where the server wants that.
    pub login: Option<Login>,
    /// The name this side gives in EHLO: a host name of ours.
    pub hello: String,
}

impl Endpoint {
    /// Everything that a server might repeat of the login and that must not be passed on.
    pub(super) fn secrets(&self) -> Vec<String> {
        self.login.as_ref().map(Login::secrets).unwrap_or_default()
    }

    /// The same without the login's name, which may be an address that the dialogue shows.
    pub(super) fn passwords(&self) -> Vec<String> {
        self.login
            .as_ref()
            .map(Login::passwords)
            .unwrap_or_default()
    }
}

/// Opens connections to one endpoint.
#[derive(Debug)]
pub(super) struct Dialer {
    tls: Client,
    pub(super) tape: Tape,
}

impl Dialer {
    pub(super) fn new(trust: Trust) -> Self {
        Self {
            tls: Client::new(trust),
            tape: Tape::default(),
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
        let config = self.tls.config().await;
        let config = config.map_err(|text| Failure::misfit(Stage::Tls, text))?;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|_| {
            Failure::misfit(Stage::Tls, "the host is not a name a certificate can carry")
        })?;
        let connected = TlsConnector::from(config).connect(name, stream).await;
        if let Ok(stream) = &connected {
            self.tape.note(|| encryption(stream));
        }
        connected.map_err(|error| match error.kind() {
            // A certificate that is refused today is refused in a minute.
            io::ErrorKind::InvalidData => {
                let Unanswered { told, distrust } = Unanswered::handshake(&error);
                Failure::misfit(Stage::Tls, told).about(distrust.map(Matter::Certificate))
            }
            _ => Failure::connection(Stage::Tls, error.to_string()),
        })
    }
}

/// How the connection is protected, in words.
fn encryption(stream: &TlsStream<TcpStream>) -> String {
    let version = stream.get_ref().1.protocol_version();
    let version = version
        .and_then(|version| version.as_str())
        .unwrap_or("TLS");
    format!(
        "encrypted ({}), and the certificate is right",
        version.replace('_', ".")
    )
}
