//! A throw-away certificate authority, and certificates that are wrong in chosen ways.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How the server's certificate relates to what a careful client demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Certificate {
    /// For `localhost` and 127.0.0.1, by the authority whose certificate [`super::SmtpServer::ca_pem`] gives.
    #[default]
    Good,
    /// By that authority, but for another name.
    WrongName,
    /// For the right name, by an authority nobody knows.
    UnknownAuthority,
    /// For the right name, signed by itself, and an authority's, as `openssl req -x509` makes it.
    SelfSigned,
    /// Right in all but its time: it ran out in 2001.
    Expired,
}

/// A certificate with its key, for a server, and the authority that a client must trust.
#[derive(Clone)]
pub struct ServerIdentity {
    /// The authority's certificate, in PEM.
    pub ca_pem: String,
    /// The server's certificate, in PEM.
    pub chain_pem: String,
    /// The server's private key (PKCS#8), in PEM.
    pub key_pem: String,
}

impl ServerIdentity {
    /// A good certificate for `localhost` and 127.0.0.1, by an authority made for it.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn make() -> Result<Self, rcgen::Error> {
        Self::of(Certificate::Good)
    }

    fn of(kind: Certificate) -> Result<Self, rcgen::Error> {
        let trusted = authority("Postern test authority")?;
        let ca_pem = trusted.pem();
        let issuer = match kind {
            Certificate::UnknownAuthority => authority("Nobody's authority")?,
            Certificate::Good
            | Certificate::WrongName
            | Certificate::SelfSigned
            | Certificate::Expired => trusted,
        };
        let key = KeyPair::generate()?;
        let params = leaf_params(kind)?;
        let leaf = match kind {
            Certificate::SelfSigned => params.self_signed(&key)?,
            _ => params.signed_by(&key, &issuer)?,
        };
        Ok(Self {
            ca_pem,
            chain_pem: leaf.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

impl std::fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerIdentity").finish_non_exhaustive()
    }
}

/// The TLS side of a server with such a certificate, and the authority's.
pub(crate) fn acceptor(
    kind: Certificate,
) -> Result<(TlsAcceptor, String), Box<dyn std::error::Error + Send + Sync>> {
    let identity = ServerIdentity::of(kind)?;
    let chain = CertificateDer::from_pem_slice(identity.chain_pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)?;
    Ok((TlsAcceptor::from(Arc::new(config)), identity.ca_pem))
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf_params(kind: Certificate) -> Result<CertificateParams, rcgen::Error> {
    let names = match kind {
        Certificate::WrongName => vec!["elsewhere.example".to_owned()],
        Certificate::Good
        | Certificate::UnknownAuthority
        | Certificate::SelfSigned
        | Certificate::Expired => {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
        }
    };
    let mut params = CertificateParams::new(names)?;
    if kind == Certificate::SelfSigned {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    if kind == Certificate::Expired {
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
    }
    Ok(params)
}
