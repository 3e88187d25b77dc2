//! HTTP by hand: a request as bytes, an answer whole, over either version.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Of the trailers, or of the head when there is nothing else.
    pub(crate) fn grpc_status(&self) -> Option<&str> {
        let status = self
            .trailers
            .get("grpc-status")
            .or(self.headers.get("grpc-status"));
        status.map(|value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(
    addr: SocketAddr,
    version: Version,
    request: Request<Full<Bytes>>,
) -> Answer {
    let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
    let response = if version == Version::HTTP_2 {
        let (mut peer, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
                .await
                .unwrap();
        tokio::spawn(connection);
        peer.send_request(request).await.unwrap()
    } else {
        let (mut peer, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        tokio::spawn(connection);
        peer.send_request(request).await.unwrap()
    };
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
        trailers,
    }
}

pub(crate) fn request(
    addr: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{addr}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.into())).unwrap()
}

/// Over HTTP/1.1, with the path and a `Host` as ordinary clients write them.
pub(crate) async fn http1(
    addr: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = request(addr, method, path, headers, body);
    *request.uri_mut() = path.parse().unwrap();
    request
        .headers_mut()
        .insert("host", addr.to_string().parse().unwrap());
    send(addr, Version::HTTP_11, request).await
}

pub(crate) async fn http2(
    addr: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    send(
        addr,
        Version::HTTP_2,
        request(addr, method, path, headers, body),
    )
    .await
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Answer {
    http1(addr, Method::GET, path, &[], "").await
}

pub(crate) async fn post_form(addr: SocketAddr, path: &str, form: &str) -> Answer {
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    http1(addr, Method::POST, path, &kind, form.to_owned()).await
}

/// Sends `bytes` on a bare socket and answers everything until the server closes.
pub(crate) async fn raw(addr: SocketAddr, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
