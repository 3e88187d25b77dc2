//! The byte stream under the SMTP crate: no delay, TLS by our own configuration, and one packet
//! where the crate writes several pieces.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::answer::Answer;
use super::tape::Tape;

/// Past this many waiting bytes a write goes out without waiting for a read.
const COALESCE: usize = 128 * 1024;

/// An SMTP connection's stream.
///
/// The SMTP crate writes the message and its final dot as two pieces and flushes each. SMTP is
/// lock-step, so what is written is held back until the answer to it is read: both pieces leave
/// in one packet, and a small mail is two round trips.
#[derive(Debug)]
pub(super) struct Wire {
    inner: Inner,
    peer: SocketAddr,
    /// Written by the SMTP crate, not yet by us.
    waiting: Vec<u8>,
    /// How much of `waiting` is out.
    gone: usize,
    /// Read ahead of the SMTP crate, still to be given to it.
    ahead: Vec<u8>,
    /// What was heard since we last wrote.
    answer: Answer,
    tape: Tape,
}

#[derive(Debug)]
enum Inner {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Wire {
    pub(super) fn plain(stream: TcpStream, peer: SocketAddr, tape: Tape) -> Self {
        Self::new(Inner::Plain(stream), peer, Vec::new(), tape)
    }

    /// `greeting` is what a server said before STARTTLS: after the handshake it greets no more
    /// (RFC 3207 §4.2), while the SMTP crate expects a greeting at the start of a stream.
    pub(super) fn tls(
        stream: TlsStream<TcpStream>,
        peer: SocketAddr,
        greeting: Vec<u8>,
        tape: Tape,
    ) -> Self {
        Self::new(Inner::Tls(Box::new(stream)), peer, greeting, tape)
    }

    fn new(inner: Inner, peer: SocketAddr, ahead: Vec<u8>, tape: Tape) -> Self {
        Self {
            inner,
            peer,
            waiting: Vec::new(),
            gone: 0,
            ahead,
            answer: Answer::default(),
            tape,
        }
    }

    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while self.gone < self.waiting.len() {
            let rest = &self.waiting[self.gone..];
            let written = match &mut self.inner {
                Inner::Plain(stream) => ready!(Pin::new(stream).poll_write(cx, rest))?,
                Inner::Tls(stream) => ready!(Pin::new(&mut **stream).poll_write(cx, rest))?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gone += written;
        }
        match &mut self.inner {
            Inner::Plain(stream) => ready!(Pin::new(stream).poll_flush(cx))?,
            Inner::Tls(stream) => ready!(Pin::new(&mut **stream).poll_flush(cx))?,
        }
        self.tape.said(&self.waiting);
        self.waiting.clear();
        self.gone = 0;
        self.answer = Answer::default();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let take = self.ahead.len().min(buf.remaining());
            buf.put_slice(&self.ahead[..take]);
            let this = &mut *self;
            this.answer.hear(&this.ahead[..take])?;
            this.ahead.drain(..take);
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_drain(cx))?;
        let before = buf.filled().len();
        match &mut self.inner {
            Inner::Plain(stream) => ready!(Pin::new(stream).poll_read(cx, buf))?,
            Inner::Tls(stream) => ready!(Pin::new(&mut **stream).poll_read(cx, buf))?,
        }
        let heard = &buf.filled()[before..];
        self.tape.heard(heard);
        self.answer.hear(heard)?;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waiting.len() >= COALESCE {
            ready!(self.poll_drain(cx))?;
        }
        self.waiting.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        match &mut self.inner {
            Inner::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Inner::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
