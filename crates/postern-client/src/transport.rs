//! The one way out: HTTP/2 to one origin, for gRPC and for plain calls alike.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri,
    header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;
use tonic::body::Body;
use tower::Service;

use crate::fault::{TransportError, fault};

/// Documents beyond this are no token and no key set.
const LARGEST_DOCUMENT: usize = 1 << 20;
/// Shorter than the 5 minutes after which servers of this contract close idle connections.
const PING_EVERY: Duration = Duration::from_mins(1);
const PING_ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Opens, keeps and shares the connection. Clones share it too.
#[derive(Clone)]
pub(crate) struct Transport {
    http: Client<HttpsConnector<HttpConnector>, Body>,
    origin: Uri,
    user_agent: HeaderValue,
}

/// A plain answer, read whole.
pub(crate) struct Document {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Transport {
    pub(crate) fn new(
        origin: Uri,
        tls: ClientConfig,
        connect_within: Duration,
        user_agent: HeaderValue,
    ) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_within));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http2()
            .wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_ANSWERED_WITHIN)
            .http2_keep_alive_while_idle(true)
            .timer(TokioTimer::new())
            .build(connector);
        Self {
            http,
            origin,
            user_agent,
        }
    }

    pub(crate) fn origin(&self) -> &Uri {
        &self.origin
    }

    /// Reads a document.
    pub(crate) async fn get(&self, path: &str) -> Result<Document, TransportError> {
        self.plain(Method::GET, path, None).await
    }

    /// Posts a form.
    pub(crate) async fn post_form(
        &self,
        path: &str,
        form: String,
    ) -> Result<Document, TransportError> {
        self.plain(Method::POST, path, Some(form)).await
    }

    async fn plain(
        &self,
        method: Method,
        path: &str,
        form: Option<String>,
    ) -> Result<Document, TransportError> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.at(path))
            .header(USER_AGENT, &self.user_agent);
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Body::new(Full::from(form.unwrap_or_default()));
        let request = request.body(body).expect("every part was checked");
        let (head, body) = self
            .http
            .request(request)
            .await
            .map_err(fault)?
            .into_parts();
        let body = Limited::new(body, LARGEST_DOCUMENT)
            .collect()
            .await
            .map_err(|error| TransportError::Broken(Some(error)))?
            .to_bytes();
        Ok(Document {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    fn at(&self, path: &str) -> Uri {
        let mut parts = self.origin.clone().into_parts();
        parts.path_and_query = Some(path.parse().expect("paths of the contract are valid"));
        Uri::from_parts(parts).expect("an origin and a path make a URI")
    }
}

/// What the generated gRPC stubs call.
impl Service<Request<Body>> for Transport {
    type Response = Response<Incoming>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request
            .headers_mut()
            .insert(USER_AGENT, self.user_agent.clone());
        let answer = self.http.request(request);
        Box::pin(async move {
            let answer = answer.await.map_err(fault)?;
            if answer.status() == StatusCode::OK || answer.headers().contains_key("grpc-status") {
                return Ok(answer);
            }
            Err(TransportError::Http {
                status: answer.status(),
                retry_after: retry_after(answer.headers()),
            })
        })
    }
}

/// The seconds of a `Retry-After`; its date form is not read.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}
