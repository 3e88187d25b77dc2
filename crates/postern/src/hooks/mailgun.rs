//! Mailgun puts into the body a timestamp, a token and their HMAC-SHA256 under the account's webhook
//! signing key (user manual, "Securing Webhooks").

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use postern_core::model::{Fate, SecretText};
use quick_cache::sync::Cache;
use serde::Deserialize;

use super::payload::{Report, Subject, bounced};
use super::{Callback, Distrust};

#[derive(Deserialize)]
struct Body {
    signature: Signature,
    #[serde(rename = "event-data")]
    event: Event,
}

#[derive(Deserialize)]
struct Signature {
    timestamp: String,
    token: String,
    #[serde(rename = "signature")]
    tag: String,
}

/// The fields that we read.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    message: Message,
    #[serde(rename = "delivery-status", default)]
    status: Status,
}

#[derive(Default, Deserialize)]
struct Message {
    #[serde(default)]
    headers: Headers,
}

#[derive(Default, Deserialize)]
struct Headers {
    #[serde(rename = "message-id", default)]
    message_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(rename = "enhanced-code", default)]
    enhanced: Option<String>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

pub(super) fn check(secret: &str) -> Result<(), String> {
    if (16..=256).contains(&secret.len()) {
        return Ok(());
    }
    let length = secret.len();
    Err(format!(
        "what was given has {length} characters: give the whole HTTP webhook signing key of the Mailgun account, which \
         has 16 to 256"
    ))
}

/// Which event each signature came with first. A signature covers its token and not the event, so
/// one that was seen on the way must not vouch for another.
pub(super) struct Seen(Cache<[u8; 32], [u8; 32]>);

impl Seen {
    /// How many signatures are remembered, by this process.
    const MOST: usize = 10_000;

    pub(super) fn new() -> Self {
        Self(Cache::new(Self::MOST))
    }

    /// Whether the signature vouches for this event: seen never, or with the same.
    fn vouches(&self, tag: [u8; 32], event: &Event) -> bool {
        let id = event.message.headers.message_id.as_deref();
        let told = [event.kind.as_str(), &event.severity, id.unwrap_or_default()].join("\0");
        let this: [u8; 32] = digest(&SHA256, told.as_bytes())
            .as_ref()
            .try_into()
            .expect("SHA-256 has 32 bytes");
        let first = self
            .0
            .get_or_insert_with(&tag, || Ok::<_, std::convert::Infallible>(this));
        first.is_ok_and(|first| first == this)
    }
}

pub(super) fn read(
    seen: &Seen,
    secret: &SecretText,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, Distrust> {
    let body: Body = serde_json::from_slice(callback.body)
        .map_err(|_| Distrust::Unverified("it has no signature"))?;
    let signed = format!("{}{}", body.signature.timestamp, body.signature.token);
    let tag = unhex(&body.signature.tag).ok_or(Distrust::Unverified("it is not signed"))?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    hmac::verify(&key, signed.as_bytes(), &tag)
        .map_err(|_| Distrust::Unverified("its signature is wrong"))?;
    let seconds = body.signature.timestamp.parse();
    callback
        .check_age(seconds.map_err(|_| Distrust::Unverified("its timestamp does not read"))?)?;
    if !seen.vouches(tag, &body.event) {
        return Err(Distrust::Unverified(
            "its signature came with another event",
        ));
    }
    Ok(vec![report(&body.event)])
}

fn report(event: &Event) -> Report {
    let what = match (event.kind.as_str(), event.severity.as_str()) {
        ("delivered", _) => Some(Fate::Delivered),
        ("complained", _) => Some(Fate::Complained),
        ("failed", "permanent") => {
            let status = &event.status;
            let parts = [&status.enhanced, &status.message, &status.description];
            let said: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
            Some(bounced(&said.join(" "), false))
        }
        _ => None,
    };
    Report {
        subject: Subject::of_message_id(event.message.headers.message_id.as_deref()),
        what,
    }
}

/// 32 bytes from 64 hexadecimal digits.
fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).ok()?;
    }
    Some(bytes)
}
