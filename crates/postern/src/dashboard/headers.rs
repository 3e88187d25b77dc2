//! The headers of every answer of the dashboard, whoever gave it: a page, a fallback, a panic.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use futures_util::FutureExt as _;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use crate::listen::{self, RequestContext};

/// Nothing from elsewhere, no inline script or style, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every answer has, unless it brought its own.
const ALWAYS: [(HeaderName, HeaderValue); 7] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
];

/// A year of TLS for this host alone: what its subdomains do is not ours to say.
const YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Dresses every answer of these paths; with `strict`, browsers come over TLS only from then on.
pub(super) fn dressed(paths: Router, strict: bool) -> Router {
    paths.layer(from_fn(move |request, next| answer(request, next, strict)))
}

async fn answer(request: Request, next: Next, strict: bool) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let ran = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut answer = ran.unwrap_or_else(|panic| listen::after_panic(&*panic, id, false));
    let headers = answer.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if strict {
        headers.insert(STRICT_TRANSPORT_SECURITY, YEAR);
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http::StatusCode;
    use tower::ServiceExt as _;

    use super::*;

    async fn broken() -> StatusCode {
        panic!("on purpose")
    }

    async fn told(strict: bool, path: &str) -> Response {
        let own = || async { [(CACHE_CONTROL, "max-age=9")] };
        let paths: Router = Router::new()
            .route("/dashboard/broken", get(broken))
            .route("/dashboard/own", get(own));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        dressed(paths, strict).oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn an_answer_after_a_panic_is_dressed_as_a_page_is() {
        let answer = told(false, "/dashboard/broken").await;
        assert_eq!(answer.status(), 500);
        for (name, value) in ALWAYS {
            assert_eq!(answer.headers().get(&name), Some(&value), "{name}");
        }
    }

    #[tokio::test]
    async fn what_an_answer_says_itself_stays() {
        let answer = told(false, "/dashboard/own").await;
        assert_eq!(answer.headers()[CACHE_CONTROL], "max-age=9");
    }

    #[tokio::test]
    async fn tls_is_asked_of_browsers_for_a_year_where_there_is_tls() {
        let strict = |answer: Response| answer.headers().get(STRICT_TRANSPORT_SECURITY).cloned();
        assert_eq!(strict(told(false, "/dashboard/own").await), None);
        assert_eq!(strict(told(true, "/dashboard/own").await), Some(YEAR));
        assert_eq!(strict(told(true, "/dashboard/broken").await), Some(YEAR));
    }
}
