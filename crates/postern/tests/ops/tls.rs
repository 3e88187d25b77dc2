use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio_rustls::TlsConnector;

use crate::eventually;
use crate::serve::Running;

#[tokio::test]
async fn a_changed_certificate_is_served_without_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let text = data.to_str().expect("UTF-8");
    let server = Running::dev(&[
        "--tls",
        "--listen",
        "127.0.0.1:0",
        "--data",
        text,
        "--set",
        "tls.reload_every=100ms",
    ]);
    let url = server.told["url"].as_str().expect("a URL");
    let port: u16 = url
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .expect("the URL has a port");
    let ca = CertificateDer::from_pem_file(data.join("ca.pem")).expect("a certificate");

    let first = served(port, &ca).await;
    postern::certificates::PrivateCa::at(&data)
        .expect("another certificate of the same CA is made");
    let next = CertificateDer::from_pem_file(data.join("tls.pem")).expect("a certificate");
    assert_ne!(first, next);
    eventually("the new certificate is served", async || {
        served(port, &ca).await == next
    })
    .await;
}

/// The certificate that the server shows to a client who trusts `ca`.
async fn served(port: u16, ca: &CertificateDer<'static>) -> CertificateDer<'static> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.clone()).expect("a trust anchor");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("the chain is trusted");
    let shown = stream
        .get_ref()
        .1
        .peer_certificates()
        .expect("a server shows one");
    shown[0].clone().into_owned()
}
