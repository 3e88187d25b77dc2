//! One message in, one message out: the framing of unary gRPC.
//!
//! Bodies are small and whole, so there is no stream to decode and no codec to set up; the same
//! bounded reading as at the REST door serves both.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{body::Body, response::Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use http_body::Frame;
use prost::Message;

use crate::present::Problem;

/// Compression flag and length.
const PREFIX: usize = 5;

/// The message of a body that carries exactly one.
pub(super) fn decode<M: Message + Default>(body: &Bytes) -> Result<M, Problem> {
    let Some((prefix, message)) = body.split_first_chunk::<PREFIX>() else {
        return Err(Problem::malformed("the body carries no gRPC message"));
    };
    let [compressed, length @ ..] = *prefix;
    if compressed != 0 {
        return Err(Problem::compressed());
    }
    if usize::try_from(u32::from_be_bytes(length)) != Ok(message.len()) {
        return Err(Problem::malformed(
            "the body does not carry exactly one gRPC message",
        ));
    }
    M::decode(message).map_err(|_| Problem::malformed("the message is not valid protobuf"))
}

/// The answer that carries `message` and ends well.
pub(super) fn answer(message: &impl Message) -> Response {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX + length);
    frame.put_u8(0);
    frame.put_u32(u32::try_from(length).expect("answers are far below 4 GiB"));
    message.encode(&mut frame).expect("the buffer grows");
    let mut response = Response::new(Body::new(Unary {
        frame: Some(frame.freeze()),
        ended: false,
    }));
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// One data frame, then the trailers of success.
struct Unary {
    frame: Option<Bytes>,
    ended: bool,
}

impl http_body::Body for Unary {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(frame) = self.frame.take() {
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        if std::mem::replace(&mut self.ended, true) {
            return Poll::Ready(None);
        }
        let mut trailers = HeaderMap::with_capacity(1);
        let status = HeaderName::from_static("grpc-status");
        trailers.insert(status, HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}

#[cfg(test)]
mod tests {
    use postern_proto::scalekit::v1::auth::passwordless::ResendPasswordlessRequest as Any;

    use super::*;

    fn framed(flag: u8, length: u32, message: &[u8]) -> Bytes {
        let mut body = vec![flag];
        body.extend_from_slice(&length.to_be_bytes());
        body.extend_from_slice(message);
        body.into()
    }

    #[test]
    fn exactly_one_uncompressed_message_is_read() {
        let message = Any {
            auth_request_id: "abc".to_owned(),
        };
        let bytes = message.encode_to_vec();
        let length = u32::try_from(bytes.len()).unwrap();
        assert_eq!(decode::<Any>(&framed(0, length, &bytes)).unwrap(), message);
        assert!(decode::<Any>(&framed(1, length, &bytes)).is_err());
        assert!(decode::<Any>(&framed(0, length + 1, &bytes)).is_err());
        assert!(decode::<Any>(&framed(0, length - 1, &bytes)).is_err());
        assert!(decode::<Any>(&framed(0, 1, &[0xff])).is_err());
        assert!(decode::<Any>(&Bytes::new()).is_err());
    }

    #[test]
    fn an_empty_message_is_a_message() {
        assert_eq!(decode::<Any>(&framed(0, 0, &[])).unwrap(), Any::default());
    }
}
