//! `packaging/haproxy/haproxy.cfg`, run: TLS and the choice of protocol at the proxy, h2c behind it, and
//! a node that leaves without a failed call.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern_testkit::haproxy::HaProxy;
use postern_testkit::postgres::Postgres;
use postern_testkit::process::{Credentials, Plan, Server};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::caller::Caller;

/// Two nodes on one PostgreSQL behind the proxy.
struct Site {
    nodes: Vec<Server>,
    _proxy: HaProxy,
    address: SocketAddr,
    ca: CertificateDer<'static>,
    /// One of each node: in development every node is an issuer of its own, and one valid token is enough.
    tokens: Vec<String>,
    _keys: tempfile::TempDir,
}

impl Site {
    async fn start() -> Self {
        let keys = tempfile::tempdir().unwrap();
        let file = keys.path().join("root.keys").display().to_string();
        let database = Postgres::shared().database();
        let node = || {
            Plan::new(env!("CARGO_BIN_EXE_postern"))
                .set("data.database_url", &database)
                .set("data.root_keys_file", &file)
                .set("server.drain", "5s")
                .start()
        };
        let nodes = vec![node(), node()];
        let mut tokens = Vec::new();
        for node in &nodes {
            let credentials = Credentials {
                url: node.credentials().url.clone(),
                ..nodes[0].credentials().clone()
            };
            tokens.push(Caller::new(&credentials).await.token().to_owned());
        }
        let (address, proxy) = proxy_to(&nodes);
        Self {
            ca: CertificateDer::from_pem_slice(proxy.ca_pem().as_bytes()).unwrap(),
            nodes,
            _proxy: proxy,
            address,
            tokens,
            _keys: keys,
        }
    }

    /// A TLS connection whose client offers these protocols, and the one that the proxy chose.
    async fn connect(&self, offers: &[&[u8]]) -> (TlsStream<TcpStream>, Option<Vec<u8>>) {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.ca.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offers.iter().map(|offer| offer.to_vec()).collect();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let stream = connector.connect(name, stream).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        (stream, chosen)
    }

    fn request(&self, path: &str, kind: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
        let request = Request::post(format!("https://localhost{path}"))
            .header("host", "localhost")
            .header("content-type", kind)
            .header("te", "trailers");
        let tokens = self.tokens.iter();
        let request = tokens.fold(request, |request, token| {
            request.header("authorization", format!("Bearer {token}"))
        });
        request.body(Full::new(Bytes::from(body))).unwrap()
    }

    fn send(&self, to: &str) -> Request<Full<Bytes>> {
        let body = serde_json::json!({ "email": to }).to_string();
        let path = "/api/v1/passwordless/email/send";
        self.request(path, "application/json", body.into_bytes())
    }
}

/// The proxy on a port that was free a moment ago: another program may have taken it since.
fn proxy_to(nodes: &[Server]) -> (SocketAddr, HaProxy) {
    for _ in 0..5 {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let config = |certificate: &Path| configured(address, certificate, nodes);
        match HaProxy::start(address, config) {
            Ok(proxy) => return (address, proxy),
            Err(error) => eprintln!("{error}"),
        }
    }
    panic!("the proxy does not start");
}

/// The shipped configuration with this test's addresses in it.
fn configured(listen: SocketAddr, certificate: &Path, nodes: &[Server]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/haproxy/haproxy.cfg");
    let mut config = std::fs::read_to_string(file).unwrap();
    let behind = |node: &Server| {
        node.credentials()
            .url
            .trim_start_matches("http://")
            .to_owned()
    };
    for (written, ours) in [
        // As many as the limit of open files allows anywhere.
        ("maxconn 20000", "maxconn 400".to_owned()),
        ("bind :443 ", format!("bind {listen} ")),
        ("/etc/haproxy/auth.pem", certificate.display().to_string()),
        (
            "10.0.0.11:8080\n    server",
            format!("{}\n    server", behind(&nodes[0])),
        ),
        (
            "node2 10.0.0.12:8080",
            format!("node2 {}", behind(&nodes[1])),
        ),
    ] {
        assert!(
            config.contains(written),
            "{written} is not in the configuration"
        );
        config = config.replace(written, &ours);
    }
    config
}

type Answer = (StatusCode, Bytes, HeaderMap);

async fn read(answer: http::Response<hyper::body::Incoming>) -> Answer {
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    (status, body.to_bytes(), trailers)
}

async fn over_h2(stream: TlsStream<TcpStream>, requests: Vec<Request<Full<Bytes>>>) -> Vec<Answer> {
    let io = TokioIo::new(stream);
    let (mut peer, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for request in requests {
        answers.push(read(peer.send_request(request).await.unwrap()).await);
    }
    answers
}

async fn over_h1(stream: TlsStream<TcpStream>, request: Request<Full<Bytes>>) -> Answer {
    let (mut peer, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    read(peer.send_request(request).await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_and_rest_pass_the_proxy_by_the_protocol_that_the_client_offers() {
    let site = Site::start().await;
    let to = b"grpc@example.com";
    let mut message = vec![0, 0, 0, 0, 2 + 16, 0x0a, 16];
    message.extend(to);
    let path = "/scalekit.v1.auth.passwordless.PasswordlessService/SendPasswordlessEmail";
    let grpc = site.request(path, "application/grpc", message.clone());
    let mut stranger = site.request(path, "application/grpc", message);
    stranger.headers_mut().remove("authorization");
    let (stream, chosen) = site.connect(&[b"h2", b"http/1.1"]).await;
    assert_eq!(chosen.as_deref(), Some(&b"h2"[..]));
    let rest = site.send("rest2@example.com");
    let answers = over_h2(stream, vec![grpc, rest, stranger]).await;
    let (status, body, trailers) = &answers[0];
    assert_eq!(
        (*status, trailers["grpc-status"].to_str().unwrap()),
        (StatusCode::OK, "0")
    );
    // Field 1 of the answer: the auth_request_id of 44 characters.
    assert_eq!(&body[5..7], [0x0a, 44]);
    assert_eq!(answers[1].0, StatusCode::OK, "{:?}", answers[1]);
    assert_eq!(
        answers[2].0,
        StatusCode::OK,
        "a gRPC error is an HTTP success"
    );

    let (stream, chosen) = site.connect(&[b"http/1.1"]).await;
    assert_eq!(chosen.as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(
        over_h1(stream, site.send("rest1@example.com")).await.0,
        StatusCode::OK
    );
    // As Node's SDK does for its token.
    let (stream, chosen) = site.connect(&[]).await;
    assert_eq!(chosen, None);
    assert_eq!(
        over_h1(stream, site.send("none@example.com")).await.0,
        StatusCode::OK
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_told_to_stop_leaves_without_a_failed_call() {
    let mut site = Site::start().await;
    let mut leaving = site.nodes.remove(0);
    let (stream, _) = site.connect(&[b"h2"]).await;
    let io = TokioIo::new(stream);
    let (mut peer, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut ended = tokio::task::spawn_blocking(move || leaving.stop());
    let mut after = 0;
    for n in 0.. {
        let send = site.send(&format!("leaving{n}@example.com"));
        let (status, body, _) = read(peer.send_request(send).await.unwrap()).await;
        assert_eq!(status, StatusCode::OK, "call {n}: {body:?}");
        after += u32::from(ended.is_finished());
        if after > 20 {
            break;
        }
    }
    assert!((&mut ended).await.unwrap().success());
}
