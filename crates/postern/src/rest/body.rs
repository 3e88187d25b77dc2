//! The body of a request, bounded in size and time; shared by all doors.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header::CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use crate::present::Problem;

/// Bytes of a call's body, of either door.
pub const BODY_LIMIT: usize = 64 * 1024;
/// Bytes of a form that nobody has signed for yet; what fills one needs a few hundred.
pub const FORM_LIMIT: usize = 8 * 1024;
/// For a body to arrive: clients give up after ten seconds (contract §1.14).
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// What is read of a body beyond the limit, so that its sender gets to hear of the refusal rather
/// than of a broken connection.
const DRAINED: usize = 1024 * 1024;

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// When it is too large, too slow or breaks off.
pub async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = announced(headers).is_some_and(|length| length > limit as u64);
    let whole = timeout(BODY_TIMEOUT, collect(body, too_large, limit)).await;
    whole.unwrap_or_else(|_| Err(Problem::body_incomplete()))
}

/// How long the body is to be, if that was said.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A body of one piece, the usual, is not copied.
async fn collect(mut body: Body, too_large: bool, limit: usize) -> Result<Bytes, Problem> {
    if too_large {
        return Err(drained(body, limit).await);
    }
    let Some(first) = next_piece(&mut body).await? else {
        return Ok(Bytes::new());
    };
    if http_body::Body::is_end_stream(&body) {
        return within_limit(first, limit);
    }
    let Some(second) = next_piece(&mut body).await? else {
        return within_limit(first, limit);
    };
    let mut whole = BytesMut::from(first);
    let mut piece = Some(second);
    while let Some(more) = piece {
        whole.extend_from_slice(&more);
        if whole.len() > limit {
            // Nobody needs it any more, and the rest may take its time.
            drop((whole, more));
            return Err(drained(body, limit).await);
        }
        piece = next_piece(&mut body).await?;
    }
    Ok(whole.freeze())
}

fn within_limit(whole: Bytes, limit: usize) -> Result<Bytes, Problem> {
    if whole.len() > limit {
        return Err(Problem::body_too_large(limit));
    }
    Ok(whole)
}

/// Reads some of what is too large, so that the refusal is heard.
pub(crate) async fn drained(mut body: Body, limit: usize) -> Problem {
    let mut seen = 0;
    while let Ok(Some(piece)) = next_piece(&mut body).await {
        seen += piece.len();
        if seen > DRAINED {
            break;
        }
    }
    Problem::body_too_large(limit)
}

/// The next bytes.
pub(crate) async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, Problem> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::body_incomplete())?;
        match frame.into_data() {
            Ok(data) if !data.is_empty() => return Ok(Some(data)),
            _ => {}
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use futures_util::{Stream, StreamExt as _, stream};
    use tokio::time::{pause, sleep};

    use super::*;

    async fn read(pieces: impl Stream<Item = Result<Bytes, axum::Error>> + Send + 'static) -> bool {
        let body = Body::new(http_body_util::StreamBody::new(
            pieces.map(|piece| piece.map(http_body::Frame::data)),
        ));
        read_body(&HeaderMap::new(), body, BODY_LIMIT).await.is_ok()
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_or_trickles_is_given_up() {
        pause();
        assert!(!read(stream::pending()).await);
        let trickle = stream::repeat_with(|| Ok(Bytes::from_static(b"x"))).then(|byte| async {
            sleep(Duration::from_secs(1)).await;
            byte
        });
        assert!(!read(trickle).await);
    }

    #[tokio::test]
    async fn a_body_that_comes_in_time_is_whole() {
        pause();
        let slow = stream::iter([Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))]);
        let slow = slow.then(|piece| async {
            sleep(Duration::from_secs(4)).await;
            piece
        });
        assert!(read(slow).await);
    }
}
