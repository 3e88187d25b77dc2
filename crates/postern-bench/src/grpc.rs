//! gRPC on one kept HTTP/2 connection, as lean as a load generator must be: one unary call at a
//! time, one write for each.
//!
//! Header fields that repeat, the token among them, are sent once and then named by their index, as
//! the gRPC stacks of Go, Java, C++ and Python do. The `h2` crate never indexes a token, and so makes
//! a server read one, Huffman-coded, in every call.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use loona_hpack::{Decoder, Encoder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of a frame's head: length (3), kind, flags, stream (4).
const HEAD: usize = 9;
/// What a frame may carry unless it was agreed otherwise.
const LONGEST: usize = 16 << 10;
/// What all answers of a connection may take together: nothing is given back.
const WINDOW: u32 = (1 << 31) - 1 - 65_535;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED_OR_PRIORITY: u8 = 0x28;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    authority: String,
    encoder: Encoder<'static>,
    decoder: Decoder<'static>,
    /// Header blocks of answers that went well, not read yet: reading them costs more than the call.
    unread: Vec<Vec<u8>>,
    /// The next call's stream.
    next: u32,
    out: BytesMut,
    read: BytesMut,
}

/// What came back.
pub(crate) struct Answer {
    /// The gRPC status code.
    pub(crate) code: u16,
    /// The message, without its five-byte prefix. Empty unless the code is 0.
    pub(crate) message: Bytes,
    /// Where the status was.
    pub(crate) trailers: HeaderMap,
}

/// One frame.
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Bytes,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        let mut out = BytesMut::with_capacity(2048);
        out.put_slice(PREFACE);
        put(&mut out, SETTINGS, 0, 0, &[]);
        put(&mut out, WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
        stream.write_all_buf(&mut out).await?;
        Ok(Self {
            stream,
            authority: address.to_string(),
            encoder: Encoder::new(),
            decoder: Decoder::new(),
            unread: Vec::new(),
            next: 1,
            out,
            read: BytesMut::with_capacity(LONGEST),
        })
    }

    /// One call of `path` (`/package.Service/Method`) with an encoded message.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        authorization: &HeaderValue,
        message: &[u8],
    ) -> anyhow::Result<Answer> {
        let stream = self.next;
        self.next += 2;
        self.encode(stream, path, authorization, message)?;
        self.stream.write_all_buf(&mut self.out).await?;
        self.answer(stream).await
    }

    fn encode(
        &mut self,
        stream: u32,
        path: &str,
        authorization: &HeaderValue,
        message: &[u8],
    ) -> anyhow::Result<()> {
        let fields: [(&[u8], &[u8]); 7] = [
            (b":method", b"POST"),
            (b":scheme", b"http"),
            (b":path", path.as_bytes()),
            (b":authority", self.authority.as_bytes()),
            (b"te", b"trailers"),
            (b"content-type", b"application/grpc"),
            (b"authorization", authorization.as_bytes()),
        ];
        let named = fields.len() - usize::from(authorization.is_empty());
        let block = self.encoder.encode(fields[..named].iter().copied());
        ensure!(block.len().max(message.len() + 5) < LONGEST, "a long call");
        put(&mut self.out, HEADERS, END_HEADERS, stream, &block);
        let mut data = Vec::with_capacity(message.len() + 5);
        data.put_u8(0);
        data.put_u32(u32::try_from(message.len())?);
        data.put_slice(message);
        put(&mut self.out, DATA, END_STREAM, stream, &data);
        Ok(())
    }

    async fn answer(&mut self, stream: u32) -> anyhow::Result<Answer> {
        let mut data = Bytes::new();
        loop {
            let frame = self.frame().await?;
            match frame.kind {
                HEADERS => self.keep(&frame)?,
                DATA => data = joined(&data, frame.payload),
                SETTINGS | PING if frame.flags & ACK == 0 => self.acknowledge(&frame).await?,
                RST_STREAM | GOAWAY => bail!("the server ended the call or the connection"),
                _ => {}
            }
            let ends = matches!(frame.kind, HEADERS | DATA) && frame.flags & END_STREAM != 0;
            if ends && frame.stream == stream {
                break;
            }
        }
        // A refused unary call has no message, and says why in its only headers.
        if !data.is_empty() {
            return Ok(Answer {
                code: 0,
                message: data.slice(data.len().min(5)..),
                trailers: HeaderMap::new(),
            });
        }
        let trailers = self.read_headers()?;
        let code = trailers.get("grpc-status").context("no grpc-status")?;
        Ok(Answer {
            code: code.to_str()?.parse()?,
            message: Bytes::new(),
            trailers,
        })
    }

    fn keep(&mut self, frame: &Frame) -> anyhow::Result<()> {
        ensure!(
            frame.flags & END_HEADERS != 0 && frame.flags & PADDED_OR_PRIORITY == 0,
            "headers in a form that no server of ours sends"
        );
        self.unread.push(frame.payload.to_vec());
        Ok(())
    }

    /// The newest headers. Each block is read in its turn: it may name fields of those before.
    fn read_headers(&mut self) -> anyhow::Result<HeaderMap> {
        let mut fields = Vec::new();
        for block in self.unread.drain(..) {
            let read = self.decoder.decode(&block);
            fields = read.map_err(|error| anyhow::anyhow!("unreadable headers: {error:?}"))?;
        }
        let named = fields.iter().filter(|(name, _)| !name.starts_with(b":"));
        named
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name)?;
                Ok((name, HeaderValue::from_bytes(value)?))
            })
            .collect()
    }

    async fn acknowledge(&mut self, frame: &Frame) -> anyhow::Result<()> {
        let echoed = if frame.kind == PING {
            &frame.payload[..]
        } else {
            &[]
        };
        put(&mut self.out, frame.kind, ACK, 0, echoed);
        Ok(self.stream.write_all_buf(&mut self.out).await?)
    }

    async fn frame(&mut self) -> anyhow::Result<Frame> {
        self.up_to(HEAD).await?;
        let length = self.read.iter().take(3);
        let length = length.fold(0, |length, byte| length << 8 | usize::from(*byte));
        ensure!(length <= LONGEST, "a frame of {length} bytes");
        self.up_to(HEAD + length).await?;
        let mut frame = self.read.split_to(HEAD + length).freeze();
        let head = frame.split_to(HEAD);
        Ok(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
            payload: frame,
        })
    }

    async fn up_to(&mut self, length: usize) -> anyhow::Result<()> {
        while self.read.len() < length {
            self.read.reserve(LONGEST);
            let more = self.stream.read_buf(&mut self.read).await?;
            ensure!(more > 0, "the server closed the connection");
        }
        Ok(())
    }
}

fn put(out: &mut BytesMut, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("frames are far below 16 MiB");
    out.put_slice(&length.to_be_bytes()[1..]);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(stream);
    out.put_slice(payload);
}

fn joined(before: &Bytes, chunk: Bytes) -> Bytes {
    if before.is_empty() {
        return chunk;
    }
    let mut both = BytesMut::from(before.as_ref());
    both.put_slice(&chunk);
    both.freeze()
}
