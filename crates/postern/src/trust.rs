//! Whom this server believes when it is the client of somebody else's TLS.

use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

/// Which certificate authorities vouch for servers.
#[derive(Debug, Clone, Default)]
pub enum Trust {
    /// Those of the operating system, or of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
    #[default]
    System,
    /// Only these.
    Only(Vec<CertificateDer<'static>>),
}

/// A TLS client's configuration, made at the first use: reading the system's certificates takes tens
/// of milliseconds, and many installations never need it.
#[derive(Debug, Default)]
pub struct Client {
    trust: Trust,
    config: OnceCell<Arc<ClientConfig>>,
}

impl Client {
    /// A client that believes these.
    pub fn new(trust: Trust) -> Self {
        Self {
            trust,
            config: OnceCell::new(),
        }
    }

    /// The configuration.
    ///
    /// # Errors
    /// No certificate authority is installed.
    pub async fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let made = self.config.get_or_try_init(|| async {
            let trust = self.trust.clone();
            let config = tokio::task::spawn_blocking(move || client_config(&trust)).await;
            config.map_err(|error| error.to_string())?
        });
        made.await.cloned()
    }
}

/// Why a server's certificate was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody who is trusted here issued it.
    Issuer,
    /// A certificate of an authority that stands for a server too, as self-signed ones do.
    SelfSigned,
    /// It is for other names.
    Name,
    /// It has ended.
    Ended,
    /// It has not begun.
    Early,
    /// Something else, that the error tells.
    Other,
}

impl Distrust {
    /// What the failed handshake says of the certificate, when it is to blame.
    pub fn of(error: &io::Error) -> Option<Self> {
        let rustls::Error::InvalidCertificate(why) = error.get_ref()?.downcast_ref()? else {
            return None;
        };
        Some(match why {
            CertificateError::UnknownIssuer => Self::Issuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::Name
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Ended,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::Early
            }
            CertificateError::Other(other)
                if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
            {
                Self::SelfSigned
            }
            _ => Self::Other,
        })
    }

    /// What an operator can do about it.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Issuer => {
                "put the certificate of the authority that issued it into the system's store, or into a file that \
                 SSL_CERT_FILE names for the server (it is read instead of the store, so it needs the public ones too \
                 where those are used), and start the server again"
            }
            Self::SelfSigned => {
                "let an authority issue a certificate for the server, and have that authority trusted here: by the \
                 system's store, or by a file that SSL_CERT_FILE names"
            }
            Self::Name => "give the server by a name that its certificate carries",
            Self::Ended => {
                "let the certificate be renewed there, and see that the clock here is right"
            }
            Self::Early => "see that the clock here is right",
            Self::Other => "see to the server's certificate",
        }
    }
}

/// Why nothing came of a connection, in words for a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{told}")]
pub struct Unanswered {
    /// The words.
    pub told: String,
    /// What is wrong with the server's certificate, when that is to blame.
    pub distrust: Option<Distrust>,
}

impl Unanswered {
    /// A handshake that failed.
    pub fn handshake(error: &io::Error) -> Self {
        Self {
            told: handshake_told(error),
            distrust: Distrust::of(error),
        }
    }
}

impl<T: Into<String>> From<T> for Unanswered {
    fn from(told: T) -> Self {
        Self {
            told: told.into(),
            distrust: None,
        }
    }
}

/// A failed handshake in words.
fn handshake_told(error: &io::Error) -> String {
    let told = match Distrust::of(error) {
        Some(Distrust::Issuer) => "the certificate's issuer is not trusted here (UnknownIssuer)",
        Some(Distrust::SelfSigned) => {
            "the certificate is self-signed: it is an authority's own, and none of a server (CaUsedAsEndEntity)"
        }
        Some(Distrust::Name) => return wrong_name(error),
        Some(Distrust::Ended) => "the certificate has expired",
        Some(Distrust::Early) => "the certificate is not valid yet",
        Some(Distrust::Other) | None => return error.to_string(),
    };
    told.to_owned()
}

/// The names that a certificate has are of use, unlike the rest of what the library writes.
fn wrong_name(error: &io::Error) -> String {
    let error = error.get_ref().and_then(|error| error.downcast_ref());
    let Some(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
        expected,
        presented,
    })) = error
    else {
        return "the certificate is for another name".to_owned();
    };
    let expected = expected.to_str();
    format!(
        "the certificate is not for {expected}: it names {}",
        presented.join(", ")
    )
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
