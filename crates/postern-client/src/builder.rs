//! How a client is made.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Uri};
use zeroize::Zeroizing;

use crate::{
    Client,
    bearer::{Credentials, Tokens},
    call::{Caller, Patience},
    clock::Clock,
    keys::Keys,
    tls,
    transport::Transport,
};

const DEADLINE: Duration = Duration::from_secs(20);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const REPEATS: u32 = 3;
const BACK_OFF: Duration = Duration::from_millis(500);
const USER_AGENT: &str = concat!("postern-client/", env!("CARGO_PKG_VERSION"));

/// Settings of a [`Client`]. Made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    url: String,
    credentials: Credentials,
    ca_pem: Vec<Vec<u8>>,
    patience: Patience,
    connect_within: Duration,
    user_agent: String,
    pub(crate) clock: Clock,
}

/// Why a client could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL is not `http://host[:port]` or `https://host[:port]`.
    #[error("`{0}` is not a server's URL: write https://host or https://host:port, without a path")]
    InvalidUrl(String),
    /// A private CA is not certificates in PEM.
    #[error("the CA cannot be read: {0}")]
    InvalidCa(String),
    /// The system has no certificates and no CA was given, so that no server can be trusted.
    #[error("no certificate is trusted: install the system's CA certificates or give a CA")]
    NobodyTrusted,
    /// The user agent holds characters that no header may.
    #[error("the user agent is not a header value")]
    InvalidUserAgent,
}

impl ClientBuilder {
    pub(crate) fn new(url: &str, client_id: String, client_secret: String) -> Self {
        Self {
            url: url.to_owned(),
            credentials: Credentials {
                client_id,
                client_secret: Zeroizing::new(client_secret),
            },
            ca_pem: Vec::new(),
            patience: Patience {
                deadline: DEADLINE,
                repeats: REPEATS,
                back_off: BACK_OFF,
            },
            connect_within: CONNECT_WITHIN,
            user_agent: USER_AGENT.to_owned(),
            clock: Clock::new(),
        }
    }

    /// Trusts one or more certificates in PEM beside the system's, such as the `ca.pem` of
    /// `postern dev --tls`. May be called again for more.
    pub fn ca_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_pem.push(pem.into());
        self
    }

    /// How long a call may take, its repeats included. 20 seconds unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.patience.deadline = deadline;
        self
    }

    /// How long a connection may take to be made. 5 seconds unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_within = timeout;
        self
    }

    /// How often a call is repeated where nothing was done, 3 unless set; 0 leaves repeating to
    /// the caller. It touches neither the one repeat with a new token nor the one at once of a call
    /// that the server says it did not take.
    pub fn repeats(mut self, repeats: u32) -> Self {
        self.patience.repeats = repeats;
        self
    }

    /// The longest wait before the first repeat, doubled for each further one. 500 ms unless set.
    pub fn back_off(mut self, wait: Duration) -> Self {
        self.patience.back_off = wait;
        self
    }

    /// What the client calls itself to the server.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Makes the client. Nothing is sent before its first call.
    ///
    /// # Errors
    /// See [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        let origin = origin(&self.url)?;
        let tls = if origin.scheme_str() == Some("https") {
            tls::config(&self.ca_pem)?
        } else {
            tls::unused()
        };
        let user_agent =
            HeaderValue::from_str(&self.user_agent).map_err(|_| BuildError::InvalidUserAgent)?;
        let transport = Transport::new(origin, tls, self.connect_within, user_agent);
        let tokens = Tokens::new(transport.clone(), self.credentials, self.clock.clone());
        let keys = Keys::new(
            transport.clone(),
            self.patience.deadline,
            self.clock.clone(),
        );
        Ok(Client {
            caller: Arc::new(Caller {
                transport,
                tokens,
                patience: self.patience,
                clock: self.clock,
            }),
            keys: Arc::new(keys),
        })
    }
}

/// Scheme and authority; a trailing slash is forgiven.
fn origin(url: &str) -> Result<Uri, BuildError> {
    let refused = || BuildError::InvalidUrl(url.to_owned());
    let uri: Uri = url.trim_end_matches('/').parse().map_err(|_| refused())?;
    let known_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = uri.path() == "/" && uri.query().is_none();
    let plain_host = uri
        .authority()
        .is_some_and(|host| !host.as_str().contains('@'));
    if known_scheme && bare && plain_host {
        Ok(uri)
    } else {
        Err(refused())
    }
}
