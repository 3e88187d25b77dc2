//! Servers that leave or refuse a stream: what was surely not taken is made again, the rest is unknown.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use super::Pair;
use crate::{Client, Error, SendRequest, Sent, fake_server::Fake};

const PREFACE: usize = 24;
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;

const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;

/// What the client is told in the place of an answer, before the connection ends.
#[derive(Clone, Copy, Default)]
struct Farewell {
    /// The stream of the call is reset for this reason.
    reset: Option<u32>,
    /// Whether GOAWAY counts the call among those that were taken.
    taken: bool,
    /// The reason of the GOAWAY.
    reason: u32,
}

impl Farewell {
    fn frames(self, call: u32) -> Vec<u8> {
        let mut frames = Vec::new();
        if let Some(reason) = self.reset {
            frames.extend([0, 0, 4, 3, 0]);
            frames.extend(call.to_be_bytes());
            frames.extend(reason.to_be_bytes());
        }
        let last = if self.taken {
            call
        } else {
            call.saturating_sub(2)
        };
        frames.extend([0, 0, 8, 7, 0, 0, 0, 0, 0]);
        frames.extend(last.to_be_bytes());
        frames.extend(self.reason.to_be_bytes());
        frames
    }
}

/// One send that is answered, and a second one that meets the farewell, on so many connections.
async fn second_send(
    farewell: Farewell,
    connections: usize,
    repeats: u32,
) -> (Pair, Result<Sent, Error>) {
    let pair = Pair::new().await;
    let url = front(&pair, farewell, connections).await;
    let client = Client::builder(&url, Fake::CLIENT_ID, Fake::CLIENT_SECRET)
        .repeats(repeats)
        .back_off(std::time::Duration::ZERO)
        .build()
        .unwrap();
    let send = || {
        let request = SendRequest::new("ada@example.com");
        let passwordless = client.passwordless();
        async move { passwordless.send(request).await }
    };
    send().await.unwrap();
    let second = send().await;
    (pair, second)
}

/// Stands before the fake server.
async fn front(pair: &Pair, farewell: Farewell, connections: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let behind = pair.server.url().replace("http://", "");
    tokio::spawn(async move {
        for number in 0.. {
            let (client, _) = listener.accept().await.unwrap();
            let server = TcpStream::connect(&behind).await.unwrap();
            // On the first one the token is stream 1 and the send that is answered 3.
            let call = if number == 0 { 5 } else { 1 };
            let ends = (number < connections).then_some((call, farewell));
            tokio::spawn(carry(client, server, ends));
        }
    });
    url
}

async fn carry(client: TcpStream, server: TcpStream, ends: Option<(u32, Farewell)>) {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let call = ends.map(|(call, _)| call);
    tokio::select! {
        _ = copy(&mut from_server, &mut to_client) => {}
        reached = until(call, from_client, to_server) => {
            // The server has nothing left to say, so its frames and these cannot mix.
            if let (Ok(()), Some((call, farewell))) = (reached, ends) {
                to_client.write_all(&farewell.frames(call)).await.unwrap();
            }
        }
    }
}

/// Carries frames until the head of that call, which goes no further.
async fn until(
    call: Option<u32>,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
) -> io::Result<()> {
    let mut preface = [0; PREFACE];
    from.read_exact(&mut preface).await?;
    to.write_all(&preface).await?;
    loop {
        let mut head = [0; FRAME_HEAD];
        from.read_exact(&mut head).await?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        if head[3] == HEADERS && Some(stream) == call {
            return Ok(());
        }
        let mut body = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        from.read_exact(&mut body).await?;
        to.write_all(&head).await?;
        to.write_all(&body).await?;
    }
}

#[tokio::test]
async fn a_call_that_a_leaving_server_did_not_take_is_made_again_at_once() {
    for reason in [NO_ERROR, ENHANCE_YOUR_CALM] {
        let farewell = Farewell {
            reason,
            ..Farewell::default()
        };
        let (pair, sent) = second_send(farewell, 1, 0).await;
        sent.unwrap();
        assert_eq!(pair.calls(), 2, "GOAWAY for reason {reason}");
    }
}

#[tokio::test]
async fn a_refused_stream_is_made_again_at_once() {
    let farewell = Farewell {
        reset: Some(REFUSED_STREAM),
        taken: true,
        reason: NO_ERROR,
    };
    let (pair, sent) = second_send(farewell, 1, 0).await;
    sent.unwrap();
    assert_eq!(pair.calls(), 2);
}

#[tokio::test]
async fn a_call_that_is_not_taken_twice_is_unavailable_and_repeated_as_such() {
    let (pair, sent) = second_send(Farewell::default(), 2, 0).await;
    assert!(matches!(sent, Err(Error::Unavailable(_))), "{sent:?}");
    assert_eq!(pair.calls(), 1);
    let (pair, sent) = second_send(Farewell::default(), 2, 1).await;
    sent.unwrap();
    assert_eq!(pair.calls(), 2);
}

#[tokio::test]
async fn a_call_that_a_leaving_server_may_have_taken_is_unknown() {
    let farewell = Farewell {
        taken: true,
        ..Farewell::default()
    };
    let (pair, sent) = second_send(farewell, 1, 3).await;
    assert!(matches!(sent, Err(Error::OutcomeUnknown(_))), "{sent:?}");
    assert_eq!(pair.calls(), 1);
}

#[tokio::test]
async fn a_stream_that_is_reset_for_another_reason_is_unknown() {
    let farewell = Farewell {
        reset: Some(CANCEL),
        taken: true,
        reason: NO_ERROR,
    };
    let (pair, sent) = second_send(farewell, 1, 3).await;
    assert!(matches!(sent, Err(Error::OutcomeUnknown(_))), "{sent:?}");
    assert_eq!(pair.calls(), 1);
}
