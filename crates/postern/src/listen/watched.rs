//! A stream whose reading is counted, and whose peer hears from us rather than from hyper.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{activity::Activity, refusal};

/// How long a peer is given to read that it was sent away.
const LINGERING: Duration = Duration::from_secs(1);

/// The stream of one connection.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// A refusal being written, and how much of it is out.
    instead: Option<(Vec<u8>, usize)>,
    /// Until when the peer may go on once we have said everything.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            instead: None,
            lingering: None,
        }
    }
}

impl<S: AsyncRead + Unpin> Watched<S> {
    /// Passes over what still comes, until the peer closes too. What it writes to a closed connection is
    /// answered by a reset, by which it learns of the end before it has read our GOAWAY: it would not know
    /// then whether a call that was on its way was taken.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let until = self
            .lingering
            .get_or_insert_with(|| Box::pin(sleep(LINGERING)));
        while until.as_mut().poll(cx).is_pending() {
            let mut passed_over = [0; 1024];
            let mut into = ReadBuf::new(&mut passed_over);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut into));
            if read.is_err() || into.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Writes our own refusal in place of hyper's; `None` when `bytes` is something else.
    fn poll_instead(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Option<io::Result<usize>>> {
        if self.instead.is_none() {
            let Some(refusal) = refusal::instead_of(bytes) else {
                return Poll::Ready(None);
            };
            self.instead = Some((refusal, 0));
        }
        while let Some((refusal, out)) = &mut self.instead {
            let rest = &refusal[*out..];
            if rest.is_empty() {
                self.instead = None;
                break;
            }
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest)) {
                Ok(0) => return Poll::Ready(Some(Err(io::ErrorKind::WriteZero.into()))),
                Ok(written) => *out += written,
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        Poll::Ready(Some(Ok(bytes.len())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, into);
        let fresh = &into.filled()[before..];
        if !fresh.is_empty() {
            self.activity.note_read(fresh);
        }
        polled
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = ready!(self.poll_instead(cx, bytes)) {
            return Poll::Ready(written);
        }
        let tried = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.activity.note_write(&tried);
        tried
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(first) = slices.first()
            && let Some(written) = ready!(self.poll_instead(cx, first))
        {
            return Poll::Ready(written);
        }
        let tried = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.activity.note_write(&tried);
        tried
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        if self.activity.is_http2() {
            self.poll_linger(cx)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// Our end of a connection over which this has come, and the peer's.
    async fn heard(greeting: &[u8]) -> (Watched<DuplexStream>, DuplexStream) {
        let (ours, mut peer) = duplex(64);
        let mut watched = Watched::new(ours, Arc::new(Activity::default()));
        peer.write_all(greeting).await.unwrap();
        watched
            .read_exact(&mut vec![0; greeting.len()])
            .await
            .unwrap();
        (watched, peer)
    }

    #[tokio::test(start_paused = true)]
    async fn an_http2_peer_that_was_sent_away_may_still_write_until_it_has_read_so() {
        let (mut watched, mut peer) = heard(b"PRI").await;
        let mut shut = Box::pin(watched.shutdown());
        assert!(shut.as_mut().now_or_never().is_none());
        peer.write_all(&[0; 48]).await.unwrap();
        assert!(shut.as_mut().now_or_never().is_none());
        drop(peer);
        assert!(shut.now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_leaves_is_not_waited_for_without_end() {
        let (mut watched, _peer) = heard(b"PRI").await;
        watched.shutdown().await.unwrap();
        let (mut watched, _peer) = heard(b"GET").await;
        assert!(
            watched.shutdown().now_or_never().is_some(),
            "HTTP/1 is not waited for"
        );
    }
}
