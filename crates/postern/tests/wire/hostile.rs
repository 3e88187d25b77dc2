//! Peers that mean harm: each is bounded, and everybody else is served meanwhile.
//!
//! Slow heads, peers that never read, and heads that are too large: see `listener`.

use ::http::Method;
use postern::listen::Limits;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    listener::{Authority, SOON, impatient},
    support::{
        Server,
        frames::{
            CANCEL, CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS,
            PING, REFUSED_STREAM, RST_STREAM, SETTINGS, frame, get, grpc, number,
        },
        http::{self, http2, raw},
    },
};

async fn serves_others(server: &Server) {
    let answer = timeout(SOON, http::get(server.addr, "/keys")).await;
    assert_eq!(answer.unwrap().status, 200);
}

/// Writes the same bytes until the server takes no more of them.
async fn flood(peer: &mut Frames, bytes: &[u8]) {
    let refused = async { while peer.0.write_all(bytes).await.is_ok() {} };
    timeout(SOON, refused).await.unwrap();
}

#[tokio::test]
async fn streams_that_are_opened_and_reset_at_once_end_the_connection() {
    let server = Server::start().await;
    let mut peer = Frames::connect(server.addr).await;
    let mut rapid = Vec::new();
    for stream in (1..200).step_by(2) {
        let head = get("/keys");
        rapid.extend(frame(HEADERS, END_STREAM | END_HEADERS, stream, &head));
        rapid.extend(frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
    }
    peer.0.write_all(&rapid).await.unwrap();
    let reason = timeout(SOON, peer.reason()).await.unwrap();
    assert_eq!(reason, Some(ENHANCE_YOUR_CALM));
    serves_others(&server).await;
}

#[tokio::test]
async fn streams_past_the_bound_are_refused_and_the_others_go_on() {
    let limits = Limits {
        max_streams: 4,
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut peer = Frames::connect(server.addr).await;
    for stream in (1..20).step_by(2) {
        // A call whose message never comes.
        let head = grpc("/grpc.health.v1.Health/Watch");
        let opened = frame(HEADERS, END_HEADERS, stream, &head);
        peer.0.write_all(&opened).await.unwrap();
    }
    let told = peer.pinged().await;
    let refused =
        |(kind, payload): &&(u8, Vec<u8>)| *kind == RST_STREAM && number(payload) == REFUSED_STREAM;
    assert_eq!(told.iter().filter(refused).count(), 6);
    serves_others(&server).await;
}

#[tokio::test]
async fn a_peer_that_never_heeds_the_bound_on_streams_is_sent_away() {
    let limits = Limits {
        max_streams: 4,
        ..Limits::default()
    };
    let server = Server::with(limits, None).await;
    let mut peer = Frames::connect(server.addr).await;
    let head = grpc("/grpc.health.v1.Health/Watch");
    let (mut reading, mut writing) = peer.0.split();
    let ended = async {
        let mut next = 1;
        let write = async {
            while writing
                .write_all(&frame(HEADERS, END_HEADERS, next, &head))
                .await
                .is_ok()
            {
                next += 2;
            }
        };
        let mut sink = tokio::io::sink();
        let read = tokio::io::copy(&mut reading, &mut sink);
        drop(tokio::join!(write, read));
    };
    timeout(SOON, ended).await.unwrap();
    serves_others(&server).await;
}

/// The peer does not reset its streams itself but breaks the rules on each, so that we do
/// (CVE-2025-8671).
#[tokio::test]
async fn a_peer_that_makes_us_reset_its_streams_is_sent_away() {
    const WINDOW_UPDATE: u8 = 8;
    let server = Server::start().await;
    let mut peer = Frames::connect(server.addr).await;
    let head = grpc("/grpc.health.v1.Health/Watch");
    let (mut reading, mut writing) = peer.0.split();
    let ended = async {
        let write = async {
            for next in (1..).step_by(2) {
                let mut both = frame(HEADERS, END_HEADERS, next, &head);
                both.extend(frame(WINDOW_UPDATE, 0, next, &[0; 4]));
                if writing.write_all(&both).await.is_err() {
                    return next;
                }
            }
            unreachable!("stream numbers do not end here")
        };
        let mut sink = tokio::io::sink();
        let read = tokio::io::copy(&mut reading, &mut sink);
        tokio::join!(write, read).0
    };
    timeout(SOON, ended).await.unwrap();
    serves_others(&server).await;
}

#[tokio::test]
async fn a_head_that_goes_on_for_ever_ends_the_connection() {
    let server = Server::start().await;
    for piece in [&[][..], &[0; 1000]] {
        let mut peer = Frames::connect(server.addr).await;
        let begun = frame(HEADERS, END_STREAM, 1, &get("/keys"));
        peer.0.write_all(&begun).await.unwrap();
        flood(&mut peer, &frame(CONTINUATION, 0, 1, piece)).await;
    }
    serves_others(&server).await;
}

#[tokio::test]
async fn a_giant_head_over_http2_is_refused() {
    let server = Server::start().await;
    let giant = "x".repeat(60_000);
    let answer = http2(server.addr, Method::GET, "/keys", &[("x", &giant)], "").await;
    assert_eq!(answer.status, 431);
}

#[tokio::test]
async fn a_flood_of_frames_that_ask_for_an_answer_is_bounded_by_the_peers_own_reading() {
    let server = Server::with(impatient(), None).await;
    for (kind, payload) in [(PING, &[0; 8][..]), (SETTINGS, &[])] {
        let mut peer = Frames::connect(server.addr).await;
        peer.get(1, "/keys").await;
        flood(&mut peer, &frame(kind, 0, 0, payload).repeat(1000)).await;
        serves_others(&server).await;
    }
}

#[tokio::test]
async fn empty_data_frames_without_end_end_the_connection() {
    const DATA: u8 = 0;
    let server = Server::start().await;
    let mut peer = Frames::connect(server.addr).await;
    let head = grpc("/grpc.health.v1.Health/Watch");
    let begun = frame(HEADERS, END_HEADERS, 1, &head);
    peer.0.write_all(&begun).await.unwrap();
    flood(&mut peer, &frame(DATA, 0, 1, &[])).await;
    serves_others(&server).await;
}

#[tokio::test]
async fn a_call_without_a_token_is_refused_before_its_body_has_come() {
    let server = Server::start().await;
    let half = "POST /api/v1/passwordless/email/send HTTP/1.1\r\nHost: x\r\n\
                Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{";
    let answer = timeout(SOON, raw(server.addr, half.as_bytes())).await;
    let answer = answer.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_peer_that_begins_no_handshake_is_cut_off() {
    let authority = Authority::new();
    let server = Server::with(impatient(), Some(authority.serve())).await;
    // The head of a ClientHello that never comes.
    for said in [&[][..], &[22, 3, 1, 2, 0]] {
        let mut peer = TcpStream::connect(server.addr).await.unwrap();
        peer.write_all(said).await.unwrap();
        let ended = timeout(SOON, peer.read_to_end(&mut Vec::new())).await;
        drop(ended.unwrap());
    }
}
