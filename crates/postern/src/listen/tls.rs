//! TLS by rustls, with certificates that can be replaced while serving.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

/// The certificate in use. Cheap to clone; replacing it in one clone replaces it in all.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ArcSwap<ServerConfig>>);

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// When a file cannot be read, or the two do not belong together.
    pub fn load(chain: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(read(chain, key)?))))
    }

    /// Reads the files again. New connections use the new certificate, old ones go on.
    ///
    /// # Errors
    /// As [`Tls::load`]; the certificate in use then stays.
    pub fn reload(&self, chain: &Path, key: &Path) -> anyhow::Result<()> {
        self.0.store(Arc::new(read(chain, key)?));
        Ok(())
    }

    /// Serves `chain` with `key`.
    ///
    /// # Errors
    /// When the two do not belong together.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(config(chain, key)?))))
    }

    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }
}

fn read(chain: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read the certificate chain {}", chain.display()))?;
    let private = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read the private key {}", key.display()))?;
    config(certificates, private)
        .with_context(|| format!("cannot serve {} with {}", chain.display(), key.display()))
}

/// ALPN `h2` and `http/1.1`; a client that offers none is served HTTP/1.1 (contract §1.2).
fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
