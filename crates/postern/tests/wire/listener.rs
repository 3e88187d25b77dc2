//! The listener: versions, TLS, patience and goodbyes (contract §1.1-4, §2; lifecycle §10).

use std::{net::SocketAddr, sync::Arc, time::Duration};

use http::{Method, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern::listen::{Limits, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::support::{
    Server,
    frames::{ACK, Frames, GOAWAY, PING, SETTINGS},
    http::{get, http1, http2, raw},
};

pub(crate) const SOON: Duration = Duration::from_mins(1);

/// A private CA.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for localhost and its key, both PEM.
    fn issue(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    pub(crate) fn serve(&self) -> Tls {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let private = PrivatePkcs8KeyDer::from(key.serialize_der());
        Tls::new(vec![certificate.der().clone()], private.into()).unwrap()
    }

    async fn connect(&self, addr: SocketAddr, alpn: &[&str]) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TcpStream::connect(addr).await.unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn both_versions_share_the_plain_port() {
    let server = Server::start().await;
    assert_eq!(
        http1(server.addr, Method::GET, "/keys", &[], "")
            .await
            .status,
        200
    );
    assert_eq!(
        http2(server.addr, Method::GET, "/keys", &[], "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn tls_without_alpn_and_with_http1_is_served_http1() {
    let authority = Authority::new();
    let server = Server::with(Limits::default(), Some(authority.serve())).await;
    for (offered, chosen) in [(vec![], None), (vec!["http/1.1"], Some(&b"http/1.1"[..]))] {
        let mut stream = authority.connect(server.addr, &offered).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
        let request = "GET /keys HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn tls_with_h2_offered_is_served_http2() {
    let authority = Authority::new();
    let server = Server::with(Limits::default(), Some(authority.serve())).await;
    let stream = authority.connect(server.addr, &["h2", "http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = TokioIo::new(stream);
    let (mut peer, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("https://localhost/keys").body(Empty::<bytes::Bytes>::new());
    let response = peer.send_request(request.unwrap()).await.unwrap();
    assert_eq!(
        (response.status(), response.version()),
        (http::StatusCode::OK, Version::HTTP_2)
    );
    response.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn a_renewed_certificate_is_served_to_new_connections() {
    let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
    let (chain, key) = (
        folder.path().join("chain.pem"),
        folder.path().join("key.pem"),
    );
    let write = |(certificate, private): (String, String)| {
        std::fs::write(&chain, certificate).unwrap();
        std::fs::write(&key, private).unwrap();
    };
    write(authority.issue());
    let tls = Tls::load(&chain, &key).unwrap();
    let server = Server::with(Limits::default(), Some(tls.clone())).await;
    let seen = || async {
        let stream = authority.connect(server.addr, &[]).await;
        let chain: &[CertificateDer<'_>] = stream.get_ref().1.peer_certificates().unwrap();
        chain[0].to_vec()
    };
    let before = seen().await;
    assert_eq!(before, seen().await);
    write(authority.issue());
    tls.reload(&chain, &key).unwrap();
    let after = seen().await;
    assert_ne!(before, after);
    std::fs::write(&key, "nonsense").unwrap();
    tls.reload(&chain, &key).unwrap_err();
    assert_eq!(after, seen().await, "what works stays");
}

#[tokio::test]
async fn pings_without_a_call_are_acknowledged_and_never_answered_by_goaway() {
    let server = Server::start().await;
    let mut peer = Frames::connect(server.addr).await;
    for number in 0..500_u64 {
        peer.write(PING, 0, &number.to_be_bytes()).await;
        let echoed = loop {
            let (kind, flags, payload) = peer.read().await.expect("still open");
            assert_ne!(kind, GOAWAY);
            if (kind, flags) == (PING, ACK) {
                break payload;
            }
        };
        assert_eq!(echoed, number.to_be_bytes());
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_by_a_calm_goaway_though_it_pings() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut peer = Frames::connect(server.addr).await;
    let ended = timeout(SOON, async {
        loop {
            match peer.read().await {
                Some((GOAWAY, _, payload)) => break payload,
                Some((SETTINGS, 0, _)) => peer.write(SETTINGS, ACK, &[]).await,
                Some((PING, 0, payload)) => peer.write(PING, ACK, &payload).await,
                Some((PING | SETTINGS, ACK, _)) => {
                    peer.write(PING, 0, &[0; 8]).await;
                }
                Some(_) => {}
                None => panic!("closed without a GOAWAY"),
            }
        }
    });
    let payload = ended.await.unwrap();
    assert_eq!(
        payload[4..8],
        [0, 0, 0, 0],
        "NO_ERROR, and not ENHANCE_YOUR_CALM"
    );
}

#[tokio::test]
async fn a_peer_that_says_nothing_or_half_a_head_is_cut_off() {
    let limits = Limits {
        head_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    for said in ["", "P", "GET /keys HTTP/1.1\r\nHos"] {
        let answer = timeout(SOON, raw(server.addr, said.as_bytes()))
            .await
            .unwrap();
        assert_eq!(answer, "", "{said}");
    }
}

/// Limits that are over soon, but for the idle time unless a test asks for it; not so soon that a peer of
/// a busy machine misses them who means no harm.
pub(crate) fn impatient() -> Limits {
    Limits {
        head_timeout: Duration::from_secs(1),
        write_timeout: Duration::from_millis(500),
        goodbye_timeout: Duration::from_millis(500),
        ..Limits::default()
    }
}

#[tokio::test]
async fn an_http2_peer_that_never_finishes_its_greeting_is_cut_off() {
    let server = Server::with(impatient(), None).await;
    let mut peer = Frames::connect(server.addr).await;
    let ended = async { while peer.read().await.is_some() {} };
    timeout(SOON, ended).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_takes_none_of_its_answers_is_cut_off() {
    let server = Server::with(impatient(), None).await;
    let mut peer = TcpStream::connect(server.addr).await.unwrap();
    let asked = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    // Until the server takes no more, which it does not for as long as its answers lie unread.
    let ended = async { while peer.write_all(asked.as_bytes()).await.is_ok() {} };
    timeout(SOON, ended).await.unwrap();
}

#[tokio::test]
async fn an_idle_http2_peer_that_leaves_no_window_for_its_answer_is_cut_off() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(200),
        goodbye_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut peer = Frames::connect(server.addr).await;
    peer.write(SETTINGS, 0, &[0, 4, 0, 0, 0, 0]).await;
    peer.get(1, "/keys").await;
    let ended = async { while peer.read().await.is_some() {} };
    timeout(SOON, ended).await.unwrap();
}

#[tokio::test]
async fn an_idle_keep_alive_connection_outlives_the_head_timeout() {
    let limits = Limits {
        head_timeout: Duration::from_millis(500),
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let io = TokioIo::new(TcpStream::connect(server.addr).await.unwrap());
    let (mut peer, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut cut = TcpStream::connect(server.addr).await.unwrap();
    for _ in 0..2 {
        let request = http::Request::get("/keys")
            .header("host", "x")
            .body(Empty::<bytes::Bytes>::new());
        let response = peer.send_request(request.unwrap()).await.unwrap();
        response.into_body().collect().await.unwrap();
        // By the time a silent connection is cut, more than the head timeout has passed.
        timeout(SOON, cut.read_to_end(&mut Vec::new()))
            .await
            .unwrap()
            .unwrap();
        cut = TcpStream::connect(server.addr).await.unwrap();
        peer.ready().await.unwrap();
    }
}

#[tokio::test]
async fn past_the_bound_a_connection_waits_for_another_to_end() {
    let limits = Limits {
        max_connections: 1,
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut first = Frames::connect(server.addr).await;
    first.watch(1).await;
    let second = tokio::spawn(get(server.addr, "/keys"));
    first.pinged().await;
    assert!(!second.is_finished(), "nobody is idle");
    drop(first);
    let answer = timeout(SOON, second).await.unwrap().unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn when_every_place_is_taken_an_idle_connection_leaves_for_a_new_one() {
    let limits = Limits {
        max_connections: 2,
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut busy = Frames::connect(server.addr).await;
    busy.watch(1).await;
    let mut idle = TcpStream::connect(server.addr).await.unwrap();
    let asked = b"GET /keys HTTP/1.1\r\nHost: x\r\n\r\n";
    idle.write_all(asked).await.unwrap();
    assert!(idle.read(&mut [0; 4096]).await.unwrap() > 0);
    let answer = timeout(SOON, get(server.addr, "/keys")).await.unwrap();
    assert_eq!(answer.status, 200);
    let ended = timeout(SOON, idle.read_to_end(&mut Vec::new())).await;
    ended.unwrap().unwrap();
    busy.pinged().await;
}

#[tokio::test]
async fn malformed_http_is_answered_in_the_error_shape() {
    let server = Server::start().await;
    let oversized = format!(
        "GET /keys HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n",
        "x".repeat(100_000)
    );
    for (said, status) in [
        ("NONSENSE\r\n\r\n", "400 Bad Request"),
        (&oversized, "431 Request Header Fields Too Large"),
        (
            "GET /keys HTTP/1.1\r\nConnection: close\r\n\r\n",
            "400 Bad Request",
        ),
        (
            "GET /keys HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
            "400 Bad Request",
        ),
    ] {
        let answer = timeout(SOON, raw(server.addr, said.as_bytes()))
            .await
            .unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{head}"
        );
        assert!(head.contains("content-type: application/json"), "{head}");
        assert!(head.contains("x-request-id: "), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], 3);
        assert_eq!(body["details"][0]["error_code"], "INVALID_ARGUMENT");
    }
}

#[tokio::test]
async fn leaving_says_goodbye_first_and_closes_the_listener_last() {
    let server = Server::start().await;
    let mut peer = Frames::connect(server.addr).await;
    peer.get(1, "/keys").await;
    while peer.read().await.unwrap().0 != 1 {}
    assert_eq!(get(server.addr, "/keys").await.header("connection"), None);

    let drain = server.drain.clone();
    let leaving = tokio::spawn(async move { drain.leave(Duration::from_secs(3)).await });
    server.drain.reached(postern::listen::Phase::Leaving).await;
    let answer = get(server.addr, "/keys").await;
    assert_eq!(answer.status, 200, "still served");
    assert_eq!(answer.header("connection"), Some("close"));
    let goaway = timeout(SOON, async {
        while let Some((kind, ..)) = peer.read().await {
            if kind == GOAWAY {
                return true;
            }
        }
        false
    });
    assert!(goaway.await.unwrap());
    leaving.await.unwrap();
    let refused = timeout(SOON, async {
        while TcpStream::connect(server.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    refused.await.unwrap();
}
