use std::{io, net::SocketAddr, sync::Arc};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{Client, Error, SendRequest, fake_server::Fake};

/// A server of `localhost` whose certificate a new private CA signed, and that CA in PEM.
async fn server_with_private_ca() -> (Fake, String) {
    let mut ca = CertificateParams::new([]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();

    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![leaf.der().clone()], private)
    .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listener = TlsListener {
        tcp,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    };
    (Fake::serve(listener, address, "https"), ca_pem)
}

struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, from)) = self.tcp.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

#[tokio::test]
async fn a_server_of_a_private_ca_is_trusted_when_the_ca_is_given() {
    let (server, ca) = server_with_private_ca().await;
    let client = Client::builder(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET);
    let client = client.ca_pem(ca).build().unwrap();
    client
        .passwordless()
        .send(SendRequest::new("ada@example.com"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_server_of_an_unknown_ca_is_unreachable() {
    let (server, _) = server_with_private_ca().await;
    let (_, another_ca) = server_with_private_ca().await;
    let client = Client::builder(&server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET);
    let client = client.ca_pem(another_ca).repeats(0).build().unwrap();
    let sent = client
        .passwordless()
        .send(SendRequest::new("ada@example.com"))
        .await;
    assert!(matches!(sent, Err(Error::Unreachable(_))), "{sent:?}");
}
