//! `GET /api/v1/logs/authentication/requests`: the message's fields as query parameters.

use std::sync::Arc;

use axum::{body::Body, extract::State, response::Response};
use http::Request;
use postern_core::error::{Error, Violation};
use postern_proto::{scalekit::v1::auditlogs::ListAuthLogRequest, timestamp::Timestamp};

use crate::{
    app::App, calls, listen::RequestContext, listing::ListAuthRequests, present, present::Problem,
    telemetry::labels::Door,
};

/// A page of the authentication log.
pub(super) async fn auth_requests(State(app): State<Arc<App>>, request: Request<Body>) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let (head, _) = request.into_parts();
    let message = async {
        read(head.uri.query().unwrap_or_default())
            .map_err(|wrong| Problem::new(Error::Invalid(wrong), id))
    };
    match calls::perform::<ListAuthRequests>(&app, &head, Door::Rest, message).await {
        Ok(answer) => present::rest::json(&answer),
        Err(refusal) => present::rest::answer(&refusal.problem(id)),
    }
}

/// Both cases are read, and a status may come more than once.
fn read(query: &str) -> Result<ListAuthLogRequest, Vec<Violation>> {
    let (mut message, mut wrong) = (ListAuthLogRequest::default(), Vec::new());
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if value.is_empty() {
            continue;
        }
        match &*name {
            "page_size" | "pageSize" => match value.parse() {
                Ok(size) => message.page_size = size,
                Err(_) => wrong.push(violation("page_size", "must be a number")),
            },
            "page_token" | "pageToken" => message.page_token = value.into_owned(),
            // No address holds a space, but many hold a plus sign that nobody encoded.
            "email" => message.email = value.replace(' ', "+"),
            "status" => message.status.push(value.into_owned()),
            "start_time" | "startTime" => {
                message.start_time = moment("start_time", &value, &mut wrong);
            }
            "end_time" | "endTime" => message.end_time = moment("end_time", &value, &mut wrong),
            "resource_id" | "resourceId" => message.resource_id = value.into_owned(),
            "client_id" | "clientId" => message.client_id = value.into_owned(),
            _ => {}
        }
    }
    if wrong.is_empty() {
        Ok(message)
    } else {
        Err(wrong)
    }
}

/// An offset's plus sign may have come as a space (contract §1.21).
fn moment(field: &'static str, text: &str, wrong: &mut Vec<Violation>) -> Option<Timestamp> {
    let parsed = text.replace(' ', "+").parse::<prost_types::Timestamp>();
    if parsed.is_err() {
        wrong.push(violation(
            field,
            "must be a moment such as 2027-01-15T08:00:00Z",
        ));
    }
    let at = parsed.ok()?;
    Some(Timestamp {
        seconds: at.seconds,
        nanos: at.nanos,
    })
}

fn violation(field: &'static str, told: &str) -> Violation {
    Violation::new(field, "format", format!("{field} {told}"))
}
