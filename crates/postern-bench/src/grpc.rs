//! gRPC on one kept HTTP/2 connection, by hand: one unary call at a time.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, HeaderValue, Request, Uri};
use tokio::net::TcpStream;

const WINDOW: u32 = 1 << 20;

/// A kept connection; a task of its own moves its frames.
pub(crate) struct Connection {
    sender: SendRequest<Bytes>,
    origin: String,
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

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(stream)
            .await?;
        tokio::task::spawn_local(async move {
            // Its calls tell how it ended.
            drop(connection.await);
        });
        Ok(Self {
            sender,
            origin: format!("http://{address}"),
        })
    }

    /// One call of `path` (`/package.Service/Method`) with an encoded message.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        authorization: &HeaderValue,
        message: &[u8],
    ) -> anyhow::Result<Answer> {
        let request = self.request(path, authorization)?;
        let mut sender = self.sender.clone().ready().await?;
        let (answer, mut stream) = sender.send_request(request, false)?;
        stream.send_data(framed(message), true)?;
        let (head, mut body) = answer.await?.into_parts();
        ensure!(
            head.status.as_u16() == 200,
            "HTTP {} to a gRPC call",
            head.status
        );
        let mut data = Bytes::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk?;
            body.flow_control().release_capacity(chunk.len())?;
            data = joined(&data, chunk);
        }
        let trailers = body.trailers().await?.unwrap_or(head.headers);
        let code = trailers.get("grpc-status").context("no grpc-status")?;
        Ok(Answer {
            code: code.to_str()?.parse()?,
            message: data.slice(data.len().min(5)..),
            trailers,
        })
    }

    fn request(&self, path: &str, authorization: &HeaderValue) -> anyhow::Result<Request<()>> {
        let uri: Uri = format!("{}{path}", self.origin).parse()?;
        let mut request = Request::post(uri).body(())?;
        let headers = request.headers_mut();
        headers.insert("te", HeaderValue::from_static("trailers"));
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        if !authorization.is_empty() {
            headers.insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(message.len() + 5);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("messages are far below 4 GiB"));
    frame.put_slice(message);
    frame.freeze()
}

fn joined(before: &Bytes, chunk: Bytes) -> Bytes {
    if before.is_empty() {
        return chunk;
    }
    let mut both = BytesMut::from(before.as_ref());
    both.put_slice(&chunk);
    both.freeze()
}
