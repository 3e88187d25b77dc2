//! What every request and every answer gets, whatever its door.

use std::{
    any::Any, convert::Infallible, future::Future, net::SocketAddr, panic::AssertUnwindSafe,
    pin::Pin, sync::Arc,
};

use axum::{body::Body, response::Response};
use futures_util::FutureExt as _;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Uri, Version,
    header::{CONNECTION, CONTENT_TYPE, HOST, TRAILER},
    uri::PathAndQuery,
};
use hyper::body::Incoming;
use tower::Service as _;

use super::{
    activity::Activity,
    answering::Answering,
    drain::Drain,
    request::{RequestContext, RequestId, seed},
};
use crate::present;

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
    type Response = Response<Answering>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

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
        let (drain, activity) = (self.drain.clone(), Arc::clone(&self.activity));
        let answer = names_its_host(&request).then(|| self.router.clone().call(request));
        Box::pin(async move {
            let mut response = match answer {
                None => present::Problem::malformed(HOSTLESS).answer(grpc),
                Some(answer) => match AssertUnwindSafe(answer).catch_unwind().await {
                    Ok(Ok(response)) => response,
                    Err(panic) => after_panic(&*panic, id, grpc),
                },
            };
            dress(&mut response, id, version, &drain);
            drop(in_flight);
            // As a type of its own and not in another box: every answer passes here.
            Ok(response.map(|body| Answering::new(body, activity)))
        })
    }
}

const HOSTLESS: &str = "an HTTP/1.1 request has exactly one Host header";

/// Who leaves the host out or names two may be heard otherwise by a proxy before us (RFC 9112, 3.2).
fn names_its_host<B>(request: &Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    request.version() != Version::HTTP_11 || (hosts.next().is_some() && hosts.next().is_none())
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
    let mut value = id.header();
    // It never comes again: HTTP/2 need not keep it, and push out what does.
    value.set_sensitive(true);
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

/// Tells the log of a panic, and the caller as much as they may know.
pub(crate) fn after_panic(panic: &(dyn Any + Send), id: RequestId, grpc: bool) -> Response {
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
}
