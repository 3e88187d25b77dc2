//! Whom an `https://` URL trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::BuildError;

/// The system's certificates and those of `ca_pem`. A system without any is fine as long as
/// somebody is trusted in the end.
pub(crate) fn config(ca_pem: &[Vec<u8>]) -> Result<ClientConfig, BuildError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for pem in ca_pem {
        for certificate in parse(pem)? {
            roots
                .add(certificate)
                .map_err(|error| BuildError::InvalidCa(error.to_string()))?;
        }
    }
    if roots.is_empty() {
        return Err(BuildError::NobodyTrusted);
    }
    Ok(trusting(roots))
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    // Named here, because a program that links two providers has no default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("aws-lc-rs serves the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn parse(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(found) if found.is_empty() => {
            Err(BuildError::InvalidCa("the PEM holds no certificate".into()))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(BuildError::InvalidCa(error.to_string())),
    }
}

/// For an `http://` URL, where nobody is asked for a certificate.
pub(crate) fn unused() -> ClientConfig {
    trusting(RootCertStore::empty())
}
