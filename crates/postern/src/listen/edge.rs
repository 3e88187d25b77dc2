//! What every request and every answer gets, whatever its door.

use std::{
    any::Any,
    convert::Infallible,
    fmt,
    future::Future,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
};

use axum::{body::Body, response::Response};
use futures_util::FutureExt as _;
use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Request, Uri, Version,
    header::{CONNECTION, CONTENT_TYPE, TRAILER},
    uri::PathAndQuery,
};
use hyper::body::Incoming;
use tower::Service as _;

use super::{activity::Activity, drain::Drain};
use crate::present;

/// Names a request in its answer (`x-request-id`) and in the log. Unique, not secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The id of a connection's `number`th request, from the connection's random seed.
    ///
    /// The finaliser of splitmix64 is a bijection, so numbers never meet under one seed.
    fn new(seed: u64, number: u64) -> Self {
        let mut z = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(hex(z ^ (z >> 31)))
    }

    /// The id of an answer to what never became a request.
    pub(super) fn of_nobody() -> Self {
        Self::new(seed(), 0)
    }

    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hex(value: u64) -> [u8; 16] {
    let bytes = value.to_be_bytes();
    std::array::from_fn(|place| {
        let both = bytes[place / 2];
        let digit = if place % 2 == 0 { both >> 4 } else { both & 15 };
        b"0123456789abcdef"[usize::from(digit)]
    })
}

/// What the listener knows about a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// Its name.
    pub id: RequestId,
    /// The other end of the connection: a person's machine, or a proxy.
    pub peer: SocketAddr,
}

impl RequestContext {
    /// The context that the listener put into a request's extensions.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self {
            id: RequestId(*b"0000000000000000"),
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        })
    }
}

/// Stands between a connection and the router.
pub(super) struct Edge {
    router: axum::Router,
    peer: SocketAddr,
    seed: u64,
    activity: Arc<Activity>,
    drain: Drain,
}

impl Edge {
    pub(super) fn new(
        router: axum::Router,
        peer: SocketAddr,
        activity: Arc<Activity>,
        drain: Drain,
    ) -> Self {
        Self {
            router,
            peer,
            seed: seed(),
            activity,
            drain,
        }
    }
}

impl hyper::service::Service<Request<Incoming>> for Edge {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (number, in_flight) = self.activity.begin();
        let id = RequestId::new(self.seed, number);
        let mut request = request.map(Body::new);
        tidy_path(request.uri_mut());
        request.extensions_mut().insert(RequestContext {
            id,
            peer: self.peer,
        });
        let version = request.version();
        let grpc = is_grpc(request.headers());
        let drain = self.drain.clone();
        let answer = self.router.clone().call(request);
        Box::pin(async move {
            let mut response = match AssertUnwindSafe(answer).catch_unwind().await {
                Ok(Ok(response)) => response,
                Err(panic) => after_panic(&*panic, id, grpc),
            };
            dress(&mut response, id, version, &drain);
            drop(in_flight);
            Ok(response)
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "names requests; nothing depends on the value"
)]
fn seed() -> u64 {
    let mut seed = [0; 8];
    aws_lc_rs::rand::fill(&mut seed).expect("the system gives random bytes");
    u64::from_be_bytes(seed)
}

/// Whether a message says that it is gRPC: `application/grpc`, with or without a suffix or
/// parameters, but not `application/grpc-web`.
pub(crate) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';' | b' ')))
}

fn dress(response: &mut Response, id: RequestId, version: Version, drain: &Drain) {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    let headers = response.headers_mut();
    let value = HeaderValue::from_bytes(&id.0).expect("hexadecimal digits are visible ASCII");
    headers.insert(REQUEST_ID, value);
    if version >= Version::HTTP_2 {
        return;
    }
    if is_grpc(headers) && !headers.contains_key("grpc-status") {
        headers.insert(TRAILER, ANNOUNCED);
    }
    if drain.is_leaving() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// hyper sends over HTTP/1.1 only the trailers that this header announces (contract §1.5).
const ANNOUNCED: HeaderValue =
    HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin");

fn after_panic(panic: &(dyn Any + Send), id: RequestId, grpc: bool) -> Response {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(request_id = %id, panic = said.unwrap_or("?"), "a handler panicked");
    present::Problem::internal(id).answer(grpc)
}

/// Runs of slashes count as one: a client whose base URL ends in `/` sends `//oauth/token`
/// (contract §1.20).
fn tidy_path(uri: &mut Uri) {
    let path = uri.path();
    if !path.as_bytes().windows(2).any(|pair| pair == b"//") {
        return;
    }
    let mut tidy = String::with_capacity(path.len());
    for letter in path.chars() {
        if !(letter == '/' && tidy.ends_with('/')) {
            tidy.push(letter);
        }
    }
    if let Some(query) = uri.query() {
        tidy.push('?');
        tidy.push_str(query);
    }
    let mut parts = std::mem::take(uri).into_parts();
    parts.path_and_query = PathAndQuery::try_from(tidy).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tidied(from: &'static str) -> String {
        let mut uri = Uri::from_static(from);
        tidy_path(&mut uri);
        uri.to_string()
    }

    #[test]
    fn runs_of_slashes_in_the_path_count_as_one() {
        assert_eq!(tidied("//oauth///token?a=//b"), "/oauth/token?a=//b");
        assert_eq!(tidied("/oauth/token"), "/oauth/token");
        assert_eq!(tidied("http://h//keys"), "http://h/keys");
        assert_eq!(tidied("//"), "/");
    }

    #[test]
    fn grpc_is_known_by_its_media_type() {
        let says = |kind| {
            is_grpc(&HeaderMap::from_iter([(
                CONTENT_TYPE,
                HeaderValue::from_static(kind),
            )]))
        };
        assert!(
            says("application/grpc")
                && says("application/grpc+proto")
                && says("application/grpc;x=y")
        );
        assert!(!says("application/grpc-web") && !says("application/json"));
        assert!(!is_grpc(&HeaderMap::new()));
    }

    #[test]
    fn request_ids_of_one_connection_differ() {
        let id = |number| RequestId::new(7, number).as_str().to_owned();
        let all: std::collections::HashSet<_> = (0..1000).map(id).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| id.len() == 16));
    }
}
