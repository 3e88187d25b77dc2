//! A problem as the REST door shows it (contract §8).

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use postern_proto::{ERROR_INFO_TYPE_URL, scalekit::v1::errdetails::ErrorInfo};
use serde::Serialize;
use tonic::Code;

use super::{Problem, grpc::error_info};

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: i32,
    message: &'a str,
    details: [Detail; 1],
}

#[derive(Serialize)]
struct Detail {
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    info: ErrorInfo,
}

/// The problem as a JSON answer.
pub fn answer(problem: &Problem) -> Response {
    let mut response = of_json(body(problem));
    *response.status_mut() = problem.http;
    let headers = response.headers_mut();
    if let Some(seconds) = problem.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if problem.code == Code::Unauthenticated {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The problem as JSON.
pub(crate) fn body(problem: &Problem) -> Vec<u8> {
    written(&ErrorBody {
        code: problem.code as i32,
        message: &problem.message,
        details: [Detail {
            kind: ERROR_INFO_TYPE_URL,
            info: error_info(problem, usize::MAX),
        }],
    })
}

/// `value` as a JSON answer with status 200 that nobody caches.
pub fn json(value: &impl Serialize) -> Response {
    of_json(written(value))
}

fn written(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what we show has string keys and serialisers that succeed")
}

fn of_json(body: Vec<u8>) -> Response {
    let mut response = Body::from(body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        answer(&self)
    }
}
