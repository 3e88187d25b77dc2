//! What a stream of the open services may take.
//!
//! Health and reflection ask for no token and are served by tonic, past the bounded reading of
//! our own calls: without bounds of their own anybody could make the server hold megabytes.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http_body::Frame;
use http_body_util::Limited;
use tokio::time::{Sleep, sleep};

use crate::rest::body::BODY_LIMIT;

/// Bytes of one message; the longest that is of any use names a symbol.
pub(super) const MESSAGE_LIMIT: usize = 16 * 1024;
/// For the requests of one stream to come: after that it ends, with what was answered so far.
const ASKING: Duration = Duration::from_mins(1);

/// Bounds the requests of a stream, in bytes of them all and in time.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    let request = request.map(|body| {
        Body::new(Timed {
            body: Body::new(Limited::new(body, BODY_LIMIT)),
            end: Box::pin(sleep(ASKING)),
        })
    });
    next.run(request).await
}

/// A body that breaks off when its time is over.
struct Timed {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl http_body::Body for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(axum::Error::new("the stream took too long"))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}
