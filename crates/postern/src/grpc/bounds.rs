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
use http::{HeaderValue, Method, header::ALLOW};
use http_body::Frame;
use http_body_util::Limited;
use tokio::time::{Sleep, sleep};

use crate::{listen::is_grpc, present::Problem, rest::body::BODY_LIMIT};

/// Bytes of one message; the longest that is of any use names a symbol.
pub(super) const MESSAGE_LIMIT: usize = 16 * 1024;
/// For the requests of one stream to come: after that it ends, with what was answered so far.
const ASKING: Duration = Duration::from_mins(1);

/// Bounds the requests of a stream, in bytes of them all and in time. What is no gRPC hears so in the
/// shape of every other error.
pub(super) async fn keep(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        let mut refused = Problem::method_not_allowed().answer(is_grpc(request.headers()));
        let only = HeaderValue::from_static("POST");
        refused.headers_mut().insert(ALLOW, only);
        return refused;
    }
    if !is_grpc(request.headers()) {
        return Problem::wrong_media_type("application/grpc").answer(false);
    }
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

#[cfg(test)]
mod tests {
    use axum::{Router, middleware::from_fn, routing::post};
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::time::{Instant, pause};
    use tower::ServiceExt as _;

    use super::*;

    /// How many bytes of a body reach a service behind the bounds before it breaks off.
    async fn read(body: Body) -> usize {
        let count = |body: Body| async move {
            let (mut body, mut bytes) = (body, 0_usize);
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, Bytes::len);
            }
            bytes.to_string()
        };
        let service = Router::new().route("/", post(count)).layer(from_fn(keep));
        let request = Request::post("/").header("content-type", "application/grpc");
        let request = request.body(body).expect("a request");
        let answer = service.oneshot(request).await.expect("never fails");
        let told = answer.into_body().collect().await.expect("a body");
        let told = String::from_utf8(told.to_bytes().to_vec()).expect("text");
        told.parse().expect("a number")
    }

    #[tokio::test]
    async fn a_stream_ends_at_64_kib_of_messages_however_small_they_are() {
        let frame = || Ok::<_, axum::Error>(Frame::data(Bytes::from_static(&[0; 1000])));
        let endless = futures_util::stream::repeat_with(frame);
        let passed = read(Body::new(StreamBody::new(endless))).await;
        assert_eq!(passed, BODY_LIMIT / 1000 * 1000);
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "a span under a paused clock")]
    async fn a_stream_that_asks_nothing_more_ends_after_a_minute() {
        pause();
        let begun = Instant::now();
        let silent = futures_util::stream::pending::<Result<Frame<Bytes>, axum::Error>>();
        assert_eq!(read(Body::new(StreamBody::new(silent))).await, 0);
        assert_eq!(begun.elapsed().as_secs(), ASKING.as_secs());
    }
}
