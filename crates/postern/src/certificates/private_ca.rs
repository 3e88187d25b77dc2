use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};

use crate::private_file;

/// Names that the development certificate is for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The private certificate authority of `postern dev --tls`.
///
/// It lives in the data directory: `ca.pem` for clients to trust, `ca.key` (0600) to issue with. A name
/// constraint (RFC 5280 §4.2.1.10) binds it to `localhost`, so that whoever gets hold of `ca.key`
/// can stand for no other host name.
#[derive(Debug)]
pub struct PrivateCa {
    /// What clients are told to trust.
    pub certificate_file: PathBuf,
    /// The chain of the certificate for `localhost`, 127.0.0.1 and ::1.
    pub leaf_file: PathBuf,
    /// The private key of that certificate.
    pub leaf_key_file: PathBuf,
}

impl PrivateCa {
    /// The authority of this data directory, made at the first call, with a fresh certificate for
    /// the loopback names.
    ///
    /// # Errors
    /// The directory cannot be written, or `ca.key` is not a private key.
    pub fn at(data: &Path) -> anyhow::Result<Self> {
        let ca = Self {
            certificate_file: data.join("ca.pem"),
            leaf_file: data.join("tls.pem"),
            leaf_key_file: data.join("tls.key"),
        };
        let key = ca.key(&data.join("ca.key"))?;
        ca.issue(key)
            .context("cannot issue the development certificate")?;
        Ok(ca)
    }

    /// The authority's key; made together with its certificate when either is missing.
    fn key(&self, file: &Path) -> anyhow::Result<KeyPair> {
        if let (Some(pem), true) = (read(file)?, self.certificate_file.exists()) {
            return KeyPair::from_pem(&pem)
                .with_context(|| format!("{} is not a private key", file.display()));
        }
        let key = KeyPair::generate()?;
        write(file, &key.serialize_pem())?;
        write(
            &self.certificate_file,
            &authority().self_signed(&key)?.pem(),
        )?;
        Ok(key)
    }

    fn issue(&self, ca_key: KeyPair) -> anyhow::Result<()> {
        let issuer = Issuer::new(authority(), ca_key);
        let mut leaf = CertificateParams::new(NAMES.map(str::to_owned))?;
        leaf.distinguished_name = named("localhost");
        (leaf.not_before, leaf.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        write(&self.leaf_key_file, &key.serialize_pem())?;
        write(&self.leaf_file, &leaf.signed_by(&key, &issuer)?.pem())
    }
}

/// The same at every start: a certificate issued later still chains to the first `ca.pem`.
fn authority() -> CertificateParams {
    let mut ca = CertificateParams::default();
    ca.distinguished_name = named("Postern development CA");
    (ca.not_before, ca.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2045, 1, 1));
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.name_constraints = Some(NameConstraints {
        // Names only: BoringSSL, and with it every gRPC client of Python, refuses a chain whose CA
        // constrains addresses (it knows no such constraint).
        permitted_subtrees: vec![GeneralSubtree::DnsName("localhost".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    ca
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    private_file::read(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, pem: &str) -> anyhow::Result<()> {
    let written: io::Result<()> = private_file::replace(file, pem.as_bytes());
    written.with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier as _;
    use rustls_pki_types::pem::PemObject as _;
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;

    fn trusts(trusted: &Path, leaf: &Path, name: &'static str) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(trusted).expect("a certificate"))
            .expect("a trust anchor");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("one root");
        let leaf = CertificateDer::from_pem_file(leaf).expect("a certificate");
        let name = ServerName::try_from(name).expect("a server name");
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_790_000_000));
        verifier
            .verify_server_cert(&leaf, &[], &name, &[], now)
            .is_ok()
    }

    #[test]
    fn a_client_that_trusts_the_first_ca_trusts_every_later_certificate_for_loopback_alone() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        PrivateCa::at(dir.path()).expect("the directory is writable");
        let trusted = dir.path().join("trusted.pem");
        std::fs::copy(dir.path().join("ca.pem"), &trusted).expect("it was made");
        let later = PrivateCa::at(dir.path()).expect("the directory is writable");
        for name in NAMES {
            assert!(trusts(&trusted, &later.leaf_file, name), "{name}");
        }
        assert!(!trusts(&trusted, &later.leaf_file, "example.com"));
    }
}
