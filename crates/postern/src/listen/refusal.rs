//! What hyper answers by itself, in our words.
//!
//! A head that cannot be parsed never reaches a service: hyper writes a status line and an empty
//! body. Ours says what is wrong, in the shape of every other error.

use http::StatusCode;

use super::request::RequestId;
use crate::present::{Problem, rest};

/// What to write instead of `written`, if that is hyper's own refusal of a request head. Every
/// answer of ours names its request, hyper's does not.
pub(super) fn instead_of(written: &[u8]) -> Option<Vec<u8>> {
    let rest = written.strip_prefix(b"HTTP/1.1 4")?;
    let bare = has(rest, b"content-length: 0\r\n") && !has(rest, b"x-request-id: ");
    let status = StatusCode::from_bytes(written.get(9..12)?).ok()?;
    bare.then(|| refusal(status))
}

fn refusal(status: StatusCode) -> Vec<u8> {
    let why = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "the header fields are too large",
        StatusCode::URI_TOO_LONG => "the address is too long",
        _ => "the request is not valid HTTP",
    };
    let body = rest::body(&Problem::malformed(why));
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nx-request-id: {}\r\n\r\n",
        body.len(),
        RequestId::of_nobody(),
    )
    .into_bytes();
    answer.extend(body);
    answer
}

fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hypers_own_refusal_is_replaced() {
        let hypers = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        assert!(instead_of(hypers).is_some());
        let ours = b"HTTP/1.1 404 Not Found\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n";
        assert!(instead_of(ours).is_none());
        assert!(instead_of(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_none());
        assert!(instead_of(b"HTTP/1.1 4").is_none());
    }
}
