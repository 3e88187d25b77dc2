//! The body of a callback, read before anybody has signed for it.
//!
//! One that is small needs no place, so that nobody can keep the usual callbacks out by holding the
//! places; a large one waits for one once it turns out to be large, and all have to be here in time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::present::Problem;
use crate::rest::body::{BODY_LIMIT as SMALL, BODY_TIMEOUT, announced, drained, next_piece};

/// Bytes of a callback. SendGrid batches up to 768 KiB; the others send one event.
pub(super) const LIMIT: usize = 1024 * 1024;
/// Large callbacks that are held at the same time.
const LARGE: usize = 64;

/// Places for large callbacks.
pub(super) struct Reading {
    places: Semaphore,
}

/// A body, with the place that it holds while it is looked at.
pub(super) struct Held<'r> {
    pub(super) body: Bytes,
    _place: Option<SemaphorePermit<'r>>,
}

impl Reading {
    pub(super) fn new() -> Self {
        Self {
            places: Semaphore::new(LARGE),
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it is too large, too slow or breaks off.
    pub(super) async fn whole(&self, headers: &HeaderMap, body: Body) -> Result<Held<'_>, Problem> {
        let read = timeout(BODY_TIMEOUT, self.gather(headers, body)).await;
        read.unwrap_or_else(|_| Err(Problem::body_incomplete()))
    }

    async fn gather(&self, headers: &HeaderMap, mut body: Body) -> Result<Held<'_>, Problem> {
        if announced(headers).is_some_and(|length| length > LIMIT as u64) {
            return Err(drained(body, LIMIT).await);
        }
        let mut whole = BytesMut::new();
        let mut place = None;
        while let Some(piece) = next_piece(&mut body).await? {
            if whole.len() + piece.len() > LIMIT {
                return Err(drained(body, LIMIT).await);
            }
            if whole.len() + piece.len() > SMALL && place.is_none() {
                place = Some(self.places.acquire().await.expect("never closed"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Held {
            body: whole.freeze(),
            _place: place,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use futures_util::{StreamExt as _, stream};
    use http_body_util::StreamBody;
    use tokio::time::pause;

    use super::*;

    /// A body that sends so many bytes and then, unless it is `whole`, nothing more.
    fn sends(bytes: usize, whole: bool) -> Body {
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![b' '; bytes]))]);
        let pieces = if whole {
            first.boxed()
        } else {
            first.chain(stream::pending()).boxed()
        };
        Body::new(StreamBody::new(
            pieces.map(|piece| piece.map(http_body::Frame::data)),
        ))
    }

    #[tokio::test]
    async fn senders_that_dawdle_keep_nobody_out() {
        pause();
        let reading = Reading::new();
        let headers = HeaderMap::new();
        let slow = |bytes| reading.whole(&headers, sends(bytes, false));
        let small = (0..1000).map(|_| slow(100));
        let large = (0..LARGE).map(|_| slow(SMALL + 1));
        let dawdling = futures_util::future::join_all(small.chain(large));
        let later = async |bytes| {
            tokio::time::sleep(Duration::from_secs(1)).await;
            reading.whole(&headers, sends(bytes, true)).await.is_ok()
        };
        // The usual one is read at once, and a batch when the places come back.
        let usual = timeout(Duration::from_secs(2), later(5000));
        let batch = timeout(BODY_TIMEOUT + Duration::from_secs(1), later(700_000));
        let (slow, usual, batch) = tokio::join!(dawdling, usual, batch);
        assert!(slow.iter().all(Result::is_err));
        assert_eq!((usual, batch), (Ok(true), Ok(true)));
    }

    #[tokio::test]
    async fn a_callback_over_the_limit_is_refused_whatever_it_announces() {
        let reading = Reading::new();
        let headers = HeaderMap::new();
        let read = |bytes| reading.whole(&headers, sends(bytes, true));
        assert_eq!(
            read(LIMIT).await.map(|held| held.body.len()).ok(),
            Some(LIMIT)
        );
        assert!(read(LIMIT + 1).await.is_err());
        assert_eq!(reading.places.available_permits(), LARGE);
    }
}
