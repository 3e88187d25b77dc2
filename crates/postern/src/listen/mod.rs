//! One port for everything: HTTP/1.1 and HTTP/2, with TLS or without, gRPC, REST and pages.
//!
//! Without TLS a client speaks HTTP/1.1 or HTTP/2 by prior knowledge; with TLS it chooses by ALPN
//! and gets HTTP/1.1 when it offers none (contract §1.1-4).

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::sleep,
};

mod activity;
mod answering;
mod connection;
mod crowd;
pub(crate) mod descriptors;
mod drain;
mod edge;
mod refusal;
mod request;
mod supervise;
mod tls;
mod watched;

pub use drain::{Drain, Phase};
pub(crate) use edge::{after_panic, is_grpc};
pub use request::{RequestContext, RequestId};
pub use tls::Tls;

/// Bounds on what peers may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections served at once. When one more comes, an idle one is sent away for it; while none is
    /// idle it waits, and further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// Bytes of one request head, at least 8 KiB.
    pub max_head_bytes: usize,
    /// For a TLS handshake, for an HTTP/2 greeting, and for the rest of an HTTP/1 head once it has
    /// begun. A peer is cut off between one and two of these.
    pub head_timeout: Duration,
    /// A connection without a request for so long is closed.
    pub idle_timeout: Duration,
    /// For a peer to take at least one byte of what is written to it. It is cut off between one
    /// and two of these.
    pub write_timeout: Duration,
    /// For a connection to end once it was told to; then it is cut, whatever is in flight.
    pub goodbye_timeout: Duration,
    /// For what is in flight once the listener has closed.
    pub finish_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_streams: 256,
            max_head_bytes: 32 * 1024,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(5),
            write_timeout: Duration::from_secs(30),
            goodbye_timeout: Duration::from_secs(30),
            finish_timeout: Duration::from_secs(10),
        }
    }
}

/// Connections that the system holds for us until we take them, as far as it lets us have (`somaxconn`).
/// Who finds no room tries again after a second, and the usual 128 are a small crowd.
const BACKLOG: u32 = 4096;

/// An open port that does not serve yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Tls>,
    limits: Limits,
}

impl Listener {
    /// Opens the port. Port 0 asks the system for a free one.
    ///
    /// # Errors
    /// What the system says, a taken port first of all.
    pub fn bind(address: SocketAddr, tls: Option<Tls>, limits: Limits) -> io::Result<Self> {
        Ok(Self {
            socket: open(address)?,
            tls,
            limits,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `drain` closes the listener and the answers in flight are out, or have taken
    /// longer than they may.
    pub async fn serve(self, router: axum::Router, drain: Drain) {
        let shared = Arc::new(connection::Shared::new(
            self.limits,
            self.tls,
            drain.clone(),
        ));
        tokio::select! {
            () = accept_all(self.socket, &shared, &router) => {}
            () = drain.reached(Phase::Closed) => {}
        }
        let finished = tokio::time::timeout(self.limits.finish_timeout, shared.crowd.gone());
        if finished.await.is_err() {
            tracing::warn!("connections still open at the end were dropped");
        }
    }
}

async fn accept_all(socket: TcpListener, shared: &Arc<connection::Shared>, router: &axum::Router) {
    loop {
        let (stream, peer) = accept(&socket).await;
        let place = shared.crowd.place().await;
        let (shared, router) = (Arc::clone(shared), router.clone());
        tokio::spawn(async move {
            shared.serve(stream, peer, router).await;
            drop(place);
        });
    }
}

/// The next connection. Trouble of one connection is passed over; when the process is out of
/// descriptors, waiting for some to be closed beats spinning.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                // Answers are small and whole: Nagle would hold them for the peer's delayed ACK.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot accept");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_crowd_that_comes_at_once_finds_room_before_any_is_taken() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = open(address.parse().unwrap()).unwrap();
            let address = listener.local_addr().unwrap();
            let comes = (0..400).map(|_| TcpStream::connect(address));
            let crowd = futures_util::future::try_join_all(comes);
            let waited = tokio::time::timeout(Duration::from_secs(20), crowd).await;
            assert_eq!(waited.expect("all are in").unwrap().len(), 400);
        }
    }
}
