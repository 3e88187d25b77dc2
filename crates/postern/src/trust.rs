//! Whom this server believes when it is the client of somebody else's TLS.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
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
