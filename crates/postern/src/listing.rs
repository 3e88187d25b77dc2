//! The authentication log for programs, whatever door they come through (contract §10).

use std::time::Duration;

use http::HeaderMap;
use postern_core::Error;
use postern_core::error::Violation;
use postern_core::flow::LogInput;
use postern_core::model::{Caller, LogEntry, Snapshot, Timestamp};
use postern_proto::scalekit::v1::auditlogs::{
    AuthLogRequest, ListAuthLogRequest, ListAuthLogResponse,
};
use postern_proto::timestamp::Timestamp as WireTimestamp;

use crate::app::App;
use crate::calls::Call;
use crate::telemetry::labels::Method;

/// Within a second less than the shortest deadline of the official SDKs (contract §1.14).
const IN_TIME: Duration = Duration::from_secs(9);

/// Reads a page of the authentication log. Any client may read all of it, as at the vendor's; but not
/// how admins signed in to the dashboard.
pub struct ListAuthRequests;

impl Call for ListAuthRequests {
    type Request = ListAuthLogRequest;
    type Shape = ();
    type Response = ListAuthLogResponse;
    const METHOD: Method = Method::ListAuthRequests;

    async fn run(
        app: &App,
        _: &Caller,
        _: &HeaderMap,
        request: Self::Request,
    ) -> Result<Self::Response, Error> {
        let input = LogInput {
            page_size: request.page_size,
            page_token: request.page_token,
            email: request.email,
            statuses: request.status,
            from: request
                .start_time
                .map(|at| moment("start_time", at))
                .transpose()?,
            to: request
                .end_time
                .map(|at| moment("end_time", at))
                .transpose()?,
            request: request.resource_id,
            client: request.client_id,
            without_dashboard: true,
            lost: false,
        };
        let reading = app.postern.log(&input);
        let Ok(page) = tokio::time::timeout(IN_TIME, reading).await else {
            let why = "the log could not be read in time";
            return Err(Error::Unavailable(Some(why.into())));
        };
        let page = page?;
        let snapshot = app.postern.snapshot();
        Ok(ListAuthLogResponse {
            next_page_token: page.next,
            prev_page_token: page.previous,
            total_size: u32::try_from(page.total).unwrap_or(u32::MAX),
            auth_requests: page
                .entries
                .into_iter()
                .map(|entry| shown(entry, &snapshot))
                .collect(),
        })
    }
}

fn moment(field: &'static str, at: WireTimestamp) -> Result<Timestamp, Error> {
    let micros = at.seconds.checked_mul(1_000_000);
    let micros = micros.and_then(|micros| micros.checked_add(i64::from(at.nanos / 1000)));
    let told = || Violation::new(field, "moment", format!("{field} is out of range"));
    micros
        .map(Timestamp::from_micros)
        .ok_or_else(|| Error::Invalid(vec![told()]))
}

fn shown(entry: LogEntry, snapshot: &Snapshot) -> AuthLogRequest {
    let client = snapshot.clients.get(&entry.client);
    let micros = entry.at.micros();
    AuthLogRequest {
        auth_request_id: entry.id.to_string(),
        email: entry.email,
        connection_type: "PASSWORDLESS".to_owned(),
        status: entry.status.as_str().to_owned(),
        timestamp: Some(WireTimestamp {
            seconds: micros.div_euclid(1_000_000),
            nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or(0),
        }),
        client_id: entry.client.to_string(),
        client_name: client.map(|client| client.name.clone()).unwrap_or_default(),
        ..AuthLogRequest::default()
    }
}
