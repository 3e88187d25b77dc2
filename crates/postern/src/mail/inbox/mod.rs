//! The development inbox: what `postern dev` does with mails, and the pages and the API that
//! show them.

pub(crate) use door::is_loopback_host;
pub(crate) use pages::{MAIL_POLICY, framed};

mod api;
mod door;
mod pages;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::routing::get;
use postern_core::model::{Email, LinkToken, Passcode, SecretText};
use postern_core::ports::Clock;
use postern_store::inbox::{Inbox, InboxError, KeptMail, NewMail};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Carrier, Gate, Mail, Outcome, Parts, Patience, Reply, Stage, Transport, when};

/// How many mails are kept; the oldest are dropped.
pub const CAPACITY: u32 = 200_000;

/// Keeps mails where a developer can see them, with everything that opens their requests.
pub struct DevInbox {
    inbox: Inbox,
    clock: Arc<dyn Clock>,
}

impl DevInbox {
    /// Opens or makes the inbox in the file at `path`.
    ///
    /// # Errors
    /// The file is not one of ours, or cannot be made.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Self>, InboxError> {
        let inbox = Inbox::open(path, CAPACITY)?;
        Ok(Arc::new(Self { inbox, clock }))
    }

    /// The inbox as the carrier of every mail.
    ///
    /// # Panics
    /// Never: the sender is one of ours.
    pub fn carrier(self: &Arc<Self>) -> Arc<Carrier> {
        let sender = "Postern <sign-in@postern.localhost>".parse();
        Arc::new(Carrier {
            name: "inbox".to_owned(),
            sender: sender.expect("a sender without a flaw"),
            transport: Arc::clone(self) as Arc<dyn Transport>,
            gate: Gate::open(),
        })
    }

    /// Puts the preview of a mail into the inbox: it opens nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn show(&self, parts: &Parts) -> Result<(), InboxError> {
        let to = "preview@postern.localhost";
        let summary = json!({
            "to": to,
            "from": "Postern <sign-in@postern.localhost>",
            "subject": parts.subject,
            "otp": null,
            "link": null,
            "link_token": null,
            "auth_request_id": "",
            "received_at": when::rfc3339(self.clock.now()),
        });
        let headers = json!({ "Subject": parts.subject, "X-Postern": "a preview with samples" });
        let mail = NewMail {
            address: folded(to),
            summary: summary.to_string(),
            content: content(parts, &headers),
        };
        self.inbox.put(mail).await.map(drop)
    }

    /// The newest mails, each as one JSON object.
    pub(crate) async fn newest(&self, most: usize) -> Result<Vec<Value>, InboxError> {
        let mails = self.inbox.newest(most).await?;
        Ok(mails.iter().map(pages::parsed).collect())
    }

    /// One mail as a JSON object.
    pub(crate) async fn one(&self, id: &str) -> Result<Option<Value>, InboxError> {
        let found = pages::find(self, id).await?;
        Ok(found.as_ref().map(pages::parsed))
    }

    /// `/dev/inbox` and what is below it, for loopback only.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/dev/inbox", get(pages::list))
            .route("/dev/inbox/mails/{id}", get(pages::mail))
            .route("/dev/inbox/mails/{id}/html", get(pages::html))
            .route("/dev/inbox/messages", get(api::messages))
            .layer(axum::middleware::from_fn(door::loopback_only))
            .with_state(Arc::clone(self))
    }
}

impl std::fmt::Debug for DevInbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DevInbox").finish_non_exhaustive()
    }
}

#[async_trait]
impl Transport for DevInbox {
    async fn deliver(&self, mail: &Mail, _: Patience) -> Outcome {
        let received_at = when::rfc3339(self.clock.now());
        match self.inbox.put(keep(mail, &received_at)).await {
            Ok(_) => Outcome::Sent(Reply::new(
                Stage::EndOfData,
                None,
                "kept in the development inbox",
                &[],
            )),
            Err(error) => {
                Outcome::Retry(Reply::new(Stage::EndOfData, None, &error.to_string(), &[]))
            }
        }
    }
}

/// Removes the mails to one person from the inbox in the file at `path`; answers how many. Blocks.
///
/// # Errors
/// The file cannot be written.
pub fn forget(path: &Path, address: &Email) -> Result<u64, InboxError> {
    let removed = postern_store::inbox::forget(path, &folded(address.as_given()))?;
    Ok(u64::try_from(removed).unwrap_or(u64::MAX))
}

/// The form in which addresses are looked up.
fn folded(address: &str) -> String {
    address.to_lowercase()
}

fn keep(mail: &Mail, received_at: &str) -> NewMail {
    let held = &mail.credentials;
    let headers: Map<String, Value> = mail
        .headers()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    let summary = json!({
        "to": mail.to.as_given(),
        "from": mail.from.to_string(),
        "subject": mail.parts.subject,
        "otp": held.passcode.as_ref().map(Passcode::expose),
        "link": held.link.as_ref().map(SecretText::expose),
        "link_token": held.link_token.as_ref().map(LinkToken::expose),
        "auth_request_id": held.handle.expose(),
        "received_at": received_at,
    });
    NewMail {
        address: folded(mail.to.as_given()),
        summary: summary.to_string(),
        content: content(&mail.parts, &Value::Object(headers)),
    }
}

/// The large part of a mail, written at once and without a copy of it.
fn content(parts: &Parts, headers: &Value) -> String {
    let quotes = parts.html.bytes().filter(|byte| *byte == b'"').count();
    let mut content = Vec::with_capacity(parts.html.len() + quotes + parts.text.len() + 2048);
    let large = Content {
        headers,
        html: &parts.html,
        text: &parts.text,
    };
    serde_json::to_writer(&mut content, &large).expect("texts have a JSON form");
    String::from_utf8(content).expect("JSON is UTF-8")
}

#[derive(Serialize)]
struct Content<'a> {
    headers: &'a Value,
    html: &'a str,
    text: &'a str,
}

/// Appends the mail as one JSON object. The stored parts are objects of their own, so that a mail
/// that is read by the thousand is not parsed and written again.
fn append_json(out: &mut String, mail: &KeptMail) {
    out.push_str("{\"id\":\"");
    out.push_str(&mail.id.to_string());
    out.push_str("\",");
    out.push_str(&mail.summary[1..mail.summary.len() - 1]);
    if !mail.content.is_empty() {
        out.push(',');
        out.push_str(&mail.content[1..mail.content.len() - 1]);
    }
    out.push('}');
}

#[cfg(test)]
mod tests;
