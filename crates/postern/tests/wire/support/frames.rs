//! A bare HTTP/2 peer: writes frames, reads frames, and keeps to no rule that it is not asked to.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// RFC 9113, section 7.
pub(crate) const REFUSED_STREAM: u32 = 7;
pub(crate) const CANCEL: u32 = 8;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

pub(crate) struct Frames(pub(crate) TcpStream);

impl Frames {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let mut peer = Self(TcpStream::connect(addr).await.unwrap());
        peer.0
            .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            .await
            .unwrap();
        peer.write(SETTINGS, 0, &[]).await;
        peer
    }

    pub(crate) async fn write(&mut self, kind: u8, flags: u8, payload: &[u8]) {
        let frame = frame(kind, flags, 0, payload);
        self.0.write_all(&frame).await.unwrap();
    }

    /// A whole request, which the stream ends with.
    pub(crate) async fn get(&mut self, stream: u32, path: &str) {
        let head = get(path);
        let frame = frame(HEADERS, END_STREAM | END_HEADERS, stream, &head);
        self.0.write_all(&frame).await.unwrap();
    }

    /// Begins to watch the server's health, which keeps the connection busy.
    pub(crate) async fn watch(&mut self, stream: u32) {
        const DATA: u8 = 0;
        let head = grpc("/grpc.health.v1.Health/Watch");
        let mut call = frame(HEADERS, END_HEADERS, stream, &head);
        call.extend(frame(DATA, END_STREAM, stream, &[0; 5]));
        self.0.write_all(&call).await.unwrap();
        while self.read().await.expect("still open").0 != DATA {}
    }

    /// Kind, flags and payload of the next frame; `None` at the end.
    pub(crate) async fn read(&mut self) -> Option<(u8, u8, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((head[3], head[4], payload))
    }

    /// Reads up to the acknowledgement of a ping of ours; answers the frames before it.
    pub(crate) async fn pinged(&mut self) -> Vec<(u8, Vec<u8>)> {
        self.write(PING, 0, b"are-you?").await;
        let mut before = Vec::new();
        loop {
            let (kind, flags, payload) = self.read().await.expect("still open");
            if (kind, flags) == (PING, ACK) {
                return before;
            }
            before.push((kind, payload));
        }
    }

    /// Reads to the end; answers the reason that the server gave for it.
    pub(crate) async fn reason(&mut self) -> Option<u32> {
        let mut reason = None;
        while let Some((kind, _, payload)) = self.read().await {
            if kind == GOAWAY {
                reason = Some(number(&payload[4..8]));
            }
        }
        reason
    }
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The head of a GET, by literal and indexed fields (RFC 7541).
pub(crate) fn get(path: &str) -> Vec<u8> {
    head(0x82, path)
}

/// The head of a gRPC call.
pub(crate) fn grpc(path: &str) -> Vec<u8> {
    let kind = b"application/grpc";
    let mut head = head(0x83, path);
    head.extend([0x5f, u8::try_from(kind.len()).unwrap()]);
    head.extend(kind);
    head
}

fn head(method: u8, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    [
        &[method, 0x86, 0x44, length][..],
        path.as_bytes(),
        &[0x41, 1],
        b"x",
    ]
    .concat()
}

pub(crate) fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}
