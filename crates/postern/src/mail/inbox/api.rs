//! `GET /dev/inbox/messages`: the inbox for programs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use postern_core::error::{Error, Violation};
use postern_store::inbox::{InboxError, KeptMail, Select};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::{DevInbox, append_json, folded};
use crate::listen::{RequestContext, RequestId};
use crate::present::Problem;

/// How many mails are read at a time; a long answer is sent as it is read.
const PAGE: usize = 16;
const MAX_LIMIT: usize = 10_000;
const MAX_WAIT: u64 = 60;

/// Mails as a bare JSON array, oldest first; waits for the first match if told to.
pub(super) async fn messages(State(inbox): State<Arc<DevInbox>>, request: Request) -> Response {
    let id = RequestContext::of(request.extensions()).id;
    let asked = match Asked::parse(request.uri().query().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(violations) => return Problem::new(Error::Invalid(violations), id).into_response(),
    };
    match first_page(&inbox, &asked).await {
        Ok(page) => answer(inbox, asked, page),
        Err(error) => failed(error, id),
    }
}

pub(super) fn failed(error: InboxError, id: RequestId) -> Response {
    Problem::new(Error::Internal(Box::new(error)), id).into_response()
}

/// What the query asks for.
struct Asked {
    to: Option<String>,
    after: i64,
    limit: usize,
    wait: Duration,
}

impl Asked {
    fn parse(query: &str) -> Result<Self, Vec<Violation>> {
        let mut asked = Self {
            to: None,
            after: 0,
            limit: 100,
            wait: Duration::ZERO,
        };
        let mut wrong = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                // No address holds a space, but many hold a plus sign that nobody encoded.
                "to" if !value.is_empty() => asked.to = Some(folded(&value.replace(' ', "+"))),
                "after" if !value.is_empty() => match value.parse() {
                    Ok(after) if after >= 0 => asked.after = after,
                    _ => wrong.push(Violation::new(
                        "after",
                        "id",
                        "after must be the id of a message",
                    )),
                },
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => asked.limit = limit,
                    _ => wrong.push(Violation::new(
                        "limit",
                        "range:1..10000",
                        "limit must be a number from 1 to 10000",
                    )),
                },
                "wait" => match value.parse() {
                    Ok(wait) if wait <= MAX_WAIT => asked.wait = Duration::from_secs(wait),
                    _ => wrong.push(Violation::new(
                        "wait",
                        "range:0..60",
                        "wait must be a number of seconds from 0 to 60",
                    )),
                },
                _ => {}
            }
        }
        if wrong.is_empty() {
            Ok(asked)
        } else {
            Err(wrong)
        }
    }

    fn select(&self, after: i64, left: usize) -> Select<'_> {
        Select {
            address: self.to.as_deref(),
            after,
            limit: left.min(PAGE),
            content: true,
        }
    }
}

async fn first_page(inbox: &DevInbox, asked: &Asked) -> Result<Vec<KeptMail>, InboxError> {
    // Subscribed before the first look, so that no mail falls between looking and waiting.
    let mut arrivals = inbox.inbox.arrivals();
    let found = inbox
        .inbox
        .read(asked.select(asked.after, asked.limit))
        .await?;
    if !found.is_empty() || asked.wait.is_zero() {
        return Ok(found);
    }
    let matching = async {
        loop {
            let hit = match (arrivals.recv().await, &asked.to) {
                (Ok(addresses), Some(to)) => addresses.contains(to),
                (Ok(_), None) | (Err(RecvError::Lagged(_)), _) => true,
                (Err(RecvError::Closed), _) => return Err(InboxError::Closed),
            };
            if hit {
                let found = inbox
                    .inbox
                    .read(asked.select(asked.after, asked.limit))
                    .await?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
    };
    timeout(asked.wait, matching)
        .await
        .unwrap_or_else(|_| Ok(Vec::new()))
}

/// How far an answer has come.
struct Progress {
    inbox: Arc<DevInbox>,
    asked: Asked,
    page: Vec<KeptMail>,
    left: usize,
    begun: bool,
}

fn answer(inbox: Arc<DevInbox>, asked: Asked, page: Vec<KeptMail>) -> Response {
    let left = asked.limit;
    let progress = Progress {
        inbox,
        asked,
        page,
        left,
        begun: false,
    };
    let body = Body::from_stream(stream::unfold(Some(progress), next_piece));
    let headers: [(HeaderName, HeaderValue); 4] = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (headers, body).into_response()
}

/// The next page as text, and what comes after it.
async fn next_piece(
    progress: Option<Progress>,
) -> Option<(Result<Bytes, InboxError>, Option<Progress>)> {
    let mut progress = progress?;
    let mut out = String::with_capacity(
        progress
            .page
            .iter()
            .map(|mail| mail.summary.len() + mail.content.len() + 32)
            .sum(),
    );
    for mail in &progress.page {
        out.push(if progress.begun { ',' } else { '[' });
        progress.begun = true;
        append_json(&mut out, mail);
    }
    let whole = progress.page.len() == PAGE;
    progress.left -= progress.page.len();
    let last = progress.page.last().map(|mail| mail.id);
    if let (true, Some(last), 1..) = (whole, last, progress.left) {
        let read = progress
            .inbox
            .inbox
            .read(progress.asked.select(last, progress.left))
            .await;
        match read {
            Ok(page) => progress.page = page,
            Err(error) => return Some((Err(error), None)),
        }
        if !progress.page.is_empty() {
            return Some((Ok(out.into()), Some(progress)));
        }
    }
    out.push_str(if progress.begun { "]" } else { "[]" });
    Some((Ok(out.into()), None))
}
