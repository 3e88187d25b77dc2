//! The life of one connection: handshake, service, supervision, goodbye.

use std::{io, net::SocketAddr, pin::pin, sync::Arc};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::{
    Limits, Tls,
    activity::Activity,
    crowd::Crowd,
    drain::Drain,
    edge::Edge,
    supervise::{Order, supervise},
    watched::Watched,
};

type Builder = auto::Builder<TokioExecutor>;

/// What every connection of a listener shares.
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) tls: Option<Tls>,
    pub(super) drain: Drain,
    pub(super) crowd: Arc<Crowd>,
    either: Builder,
    http1: Builder,
    http2: Builder,
}

impl Shared {
    pub(super) fn new(limits: Limits, tls: Option<Tls>, drain: Drain) -> Self {
        Self {
            either: builder(&limits),
            http1: builder(&limits).http1_only(),
            http2: builder(&limits).http2_only(),
            crowd: Arc::new(Crowd::new(limits.max_connections)),
            limits,
            tls,
            drain,
        }
    }

    /// Serves one accepted connection to its end. Trouble with a peer is the peer's, not ours.
    pub(super) async fn serve(&self, stream: TcpStream, peer: SocketAddr, router: axum::Router) {
        let served = match &self.tls {
            None => self.converse(&self.either, stream, peer, router).await,
            Some(tls) => self.encrypted(tls, stream, peer, router).await,
        };
        if let Err(error) = served {
            tracing::debug!(error = &*error, "connection ended early");
        }
    }

    async fn encrypted(
        &self,
        tls: &Tls,
        stream: TcpStream,
        peer: SocketAddr,
        router: axum::Router,
    ) -> Result<(), BoxError> {
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        let stream = timeout(self.limits.head_timeout, handshake).await??;
        let builder = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => &self.http2,
            _ => &self.http1,
        };
        self.converse(builder, stream, peer, router).await
    }

    async fn converse<S>(
        &self,
        builder: &Builder,
        stream: S,
        peer: SocketAddr,
        router: axum::Router,
    ) -> Result<(), BoxError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let edge = Edge::new(router, peer, Arc::clone(&activity), self.drain.clone());
        let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
        let mut connection = pin!(builder.serve_connection(io, edge));
        let mut orders = supervise(
            self.limits,
            self.drain.clone(),
            Arc::clone(&self.crowd),
            activity,
        );
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return ended,
                order = orders.recv() => match order {
                    Some(Order::Goodbye) => connection.as_mut().graceful_shutdown(),
                    Some(Order::Cut) => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                    None => return connection.await,
                }
            }
        }
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// HTTP as we speak it. Head timeouts are the supervisor's: hyper's would be a timer for each
/// request, and would end idle keep-alive connections too.
///
/// Pings of a peer are always acknowledged and never punished: h2 counts none (contract §2).
fn builder(limits: &Limits) -> Builder {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .keep_alive(true)
        .header_read_timeout(None)
        .max_buf_size(limits.max_head_bytes);
    builder
        .http2()
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(u32::try_from(limits.max_head_bytes).unwrap_or(u32::MAX));
    builder
}
