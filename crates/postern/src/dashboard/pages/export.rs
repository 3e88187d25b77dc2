//! The filtered log as a file: CSV or JSON lines, sent as it is read.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use postern_core::flow::{LogInput, Postern};
use postern_core::model::{LogEntry, SecretText};
use serde_json::json;

use super::logs::Filter;
use crate::dashboard::Dashboard;
use crate::dashboard::cookie::Cookie;
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

const HEAD: &str = "auth_request_id,email,status,client_id,opened_at,last_event,last_event_at\r\n";

#[derive(Clone, Copy)]
enum Format {
    Csv,
    JsonLines,
}

/// How far an export has come.
struct Progress {
    postern: Arc<Postern>,
    /// Of the session that asked for it.
    token: SecretText,
    input: LogInput,
    format: Format,
}

/// The file. Its first page is read before anything is answered, so that a wrong filter is told.
pub(in crate::dashboard) async fn file(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (format, kind, name) = match visit.query.get("format") {
        "jsonl" => (
            Format::JsonLines,
            "application/x-ndjson",
            "authentication-log.jsonl",
        ),
        _ => (
            Format::Csv,
            "text/csv; charset=utf-8",
            "authentication-log.csv",
        ),
    };
    let filter = Filter::of(&visit.query);
    let mut progress = Progress {
        postern: Arc::clone(&dashboard.postern),
        token: SecretText::new(visit.cookies.get(Cookie::Session.name(dashboard))),
        input: LogInput {
            page_size: 100,
            ..filter.input(dashboard, "")?
        },
        format,
    };
    let (first, more) = progress.next().await?;
    note(dashboard, &visit, name, &filter).await?;
    let head = match format {
        Format::Csv => HEAD.to_owned() + &first,
        Format::JsonLines => first,
    };
    let rest = stream::unfold(more.then_some(progress), |progress| async {
        let mut progress = progress?;
        match progress.goes_on().await {
            Ok((piece, more)) => Some((Ok(Bytes::from(piece)), more.then_some(progress))),
            Err(error) => Some((Err(error), None)),
        }
    });
    let first = stream::once(async { Ok(Bytes::from(head)) });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
    let disposition = format!("attachment; filename=\"{name}\"");
    Ok((
        [
            (CONTENT_TYPE, kind.to_owned()),
            (CONTENT_DISPOSITION, disposition),
        ],
        body,
    )
        .into_response())
}

/// Writes down that the log was taken out, and which part of it.
async fn note(
    dashboard: &Dashboard,
    visit: &Visit,
    name: &str,
    filter: &Filter,
) -> Result<(), Trouble> {
    let acting = dashboard.postern.acting(visit.me());
    let (file, whole) = (name.to_owned(), filter.with(""));
    Ok(acting
        .note("log.export", file, String::new(), whole)
        .await?)
}

impl Progress {
    /// The next rows, for who may still read them: a file takes as long as its reader likes, and a
    /// session may end meanwhile. The file then breaks off, so that nobody takes it for whole.
    async fn goes_on(&mut self) -> io::Result<(String, bool)> {
        let who = self.postern.signed_in(self.token.expose()).await;
        if who.map_err(io::Error::other)?.is_none() {
            return Err(io::Error::other("the session that asked for it has ended"));
        }
        self.next().await.map_err(io::Error::other)
    }

    /// The next hundred rows, and whether there are more.
    async fn next(&mut self) -> Result<(String, bool), postern_core::Error> {
        let page = self.postern.log(&self.input).await?;
        let rows = page.entries.iter().map(|entry| match self.format {
            Format::Csv => csv(entry),
            Format::JsonLines => json_line(entry),
        });
        let text = rows.collect();
        self.input.page_token = page.next;
        Ok((text, !self.input.page_token.is_empty()))
    }
}

fn csv(entry: &LogEntry) -> String {
    let at = crate::mail::rfc3339;
    let cells = [
        entry.id.to_string(),
        entry.email.clone(),
        entry.status.as_str().to_owned(),
        entry.client.to_string(),
        at(entry.at),
        entry.last.clone(),
        at(entry.last_at),
    ];
    cells.map(|text| cell(&text)).join(",") + "\r\n"
}

/// Quoted where RFC 4180 asks for it; what a spreadsheet would take for a formula is made text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains([',', '"', '\n', '\r', '\'']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

fn json_line(entry: &LogEntry) -> String {
    let at = crate::mail::rfc3339;
    let line = json!({
        "auth_request_id": entry.id.to_string(),
        "email": entry.email,
        "status": entry.status.as_str(),
        "client_id": entry.client.to_string(),
        "opened_at": at(entry.at),
        "last_event": entry.last,
        "last_event_at": at(entry.last_at),
    });
    format!("{line}\n")
}

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;
    use postern_core::flow::{Parts, token_digest};
    use postern_core::keyring::{Keyring, RootSecret};
    use postern_core::model::{
        AuthRequestId, ClientId, DomainList, Email, Event, EventKind, Method, Role, Snapshot,
    };
    use postern_core::ports::Clock as _;
    use postern_store::testing::{SeededEntropy, TempStore, temp_store};

    use super::*;
    use crate::mail::Templates;

    fn postern(store: &TempStore) -> Arc<Postern> {
        let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
        Arc::new(Postern::new(Parts {
            store: Arc::clone(&store.engine),
            clock: Arc::clone(&store.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            templates: Arc::new(Templates::built_in()),
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            disposable: Arc::new(ArcSwap::from_pointee(DomainList::bundled())),
            inbox: true,
        }))
    }

    fn opened(store: &TempStore, n: u8) -> Event {
        let (at, email) = (store.clock.now(), format!("a{n}@example.com"));
        Event {
            at,
            request: Some(AuthRequestId::new(at, [n; AuthRequestId::RANDOM])),
            client: ClientId::parse("skc_1"),
            address: Email::parse(&email).unwrap().key(),
            what: EventKind::Initiated {
                email,
                method: Method::Otp,
                template: None,
                hardened: false,
                expires_in: 300,
            },
        }
    }

    #[tokio::test]
    async fn an_export_breaks_off_where_the_session_that_asked_for_it_ends() {
        let store = temp_store().await;
        let postern = postern(&store);
        let events = (0..250).map(|n| opened(&store, n)).collect();
        store.engine.record(events).await.unwrap();
        while store.engine.project().await.unwrap() {}
        let invite = postern.invite_admin("ada@example.com", Role::Viewer).await;
        let entered = postern.accept_invite(invite.unwrap().expose(), "").await;
        let token = entered.unwrap();
        let mut progress = Progress {
            postern: Arc::clone(&postern),
            token: token.clone(),
            input: LogInput {
                page_size: 100,
                ..LogInput::default()
            },
            format: Format::Csv,
        };
        let (rows, more) = progress.goes_on().await.unwrap();
        assert_eq!((rows.lines().count(), more), (100, true));
        let digest = token_digest(token.expose());
        assert!(postern.end_session(digest).await.unwrap());
        let broken = progress.goes_on().await.unwrap_err();
        assert!(broken.to_string().contains("has ended"), "{broken}");
    }

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        assert_eq!(cell("ada@example.com"), "ada@example.com");
        assert_eq!(cell("=1+2@example.com"), "\"'=1+2@example.com\"");
        assert_eq!(cell("a,b\"c"), "\"a,b\"\"c\"");
    }
}
