//! Postmark signs nothing: it calls the URL that it was given, with a name and password in it, which
//! arrive as HTTP Basic (developer documentation, "Webhooks overview", "Protecting your webhook").

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::model::{Fate, SecretText};
use serde::Deserialize;

use super::payload::{Report, Subject, bounced};
use super::{Callback, Distrust};
use crate::mail::POSTMARK_MARK;

/// The fields that we read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    record_type: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    details: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    metadata: std::collections::BTreeMap<String, String>,
}

pub(super) fn check(secret: &str) -> Result<(), String> {
    let fits = secret
        .split_once(':')
        .is_some_and(|(name, password)| !name.is_empty() && password.len() >= 16);
    if fits {
        return Ok(());
    }
    Err(
        "give NAME:PASSWORD as in the URL at Postmark, with a password of at least 16 characters"
            .to_owned(),
    )
}

pub(super) fn read(secret: &SecretText, callback: &Callback<'_>) -> Result<Vec<Report>, Distrust> {
    let given = callback
        .header("authorization")
        .and_then(|header| header.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, text)| BASE64_STANDARD.decode(text.trim()).ok())
        .ok_or(Distrust::Unverified("it has no basic authorization"))?;
    let same = aws_lc_rs::constant_time::verify_slices_are_equal;
    if same(&given, secret.expose().as_bytes()).is_err() {
        return Err(Distrust::Unverified("its name or password is another"));
    }
    let event: Event = serde_json::from_slice(callback.body)
        .map_err(|_| Distrust::Malformed("it is no Postmark event"))?;
    Ok(vec![report(&event)])
}

fn report(event: &Event) -> Report {
    let what = match event.record_type.as_str() {
        "Delivery" => Some(Fate::Delivered),
        "SpamComplaint" => Some(Fate::Complained),
        "Bounce" => bounce(event),
        _ => None,
    };
    let mark = event.metadata.get(POSTMARK_MARK).map(String::as_str);
    Report {
        subject: Subject::of_mark(mark),
        what,
    }
}

/// The bounces that end a mail; the others are notices, such as an automatic answer.
fn bounce(event: &Event) -> Option<Fate> {
    let said = format!("{} {}", event.details, event.description);
    match event.r#type.as_str() {
        "HardBounce" | "Blocked" | "DMARCPolicy" | "SpamNotification" | "ManuallyDeactivated" => {
            Some(bounced(&said, false))
        }
        "BadEmailAddress" => Some(bounced(&said, true)),
        "SpamComplaint" => Some(Fate::Complained),
        _ => None,
    }
}
