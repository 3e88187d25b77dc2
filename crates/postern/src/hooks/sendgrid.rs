//! SendGrid signs timestamp and body with a key of its own: ECDSA over P-256 with SHA-256 (Event Webhook
//! Security Features, "The Signed Event Webhook").

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::model::{Fate, SecretText};
use serde::Deserialize;

use super::payload::{Report, Subject, bounced};
use super::{Callback, Distrust};

/// What stands before the 65 bytes of a P-256 point in a SubjectPublicKeyInfo (RFC 5480 §2).
const P256_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The fields that we read.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    #[serde(rename = "smtp-id", default)]
    smtp_id: Option<String>,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    bounce_classification: String,
}

pub(super) fn check(secret: &str) -> Result<(), String> {
    point(secret).map(drop).ok_or_else(|| {
        "give the verification key that SendGrid shows, which begins with MFkwEwYHKoZI".to_owned()
    })
}

/// The key's point, from the DER in base64 that SendGrid shows.
fn point(secret: &str) -> Option<Vec<u8>> {
    let der = BASE64_STANDARD.decode(secret.trim()).ok()?;
    let point = der.strip_prefix(&P256_HEAD)?;
    (point.len() == 65 && point[0] == 4).then(|| point.to_vec())
}

pub(super) fn read(secret: &SecretText, callback: &Callback<'_>) -> Result<Vec<Report>, Distrust> {
    let unsigned = Distrust::Unverified("it is not signed");
    let signature = callback.header("x-twilio-email-event-webhook-signature");
    let signature = signature.and_then(|text| BASE64_STANDARD.decode(text).ok());
    let signature = signature.ok_or_else(|| unsigned.clone())?;
    let timestamp = callback.header("x-twilio-email-event-webhook-timestamp");
    let timestamp = timestamp.ok_or(unsigned)?;
    let point = point(secret.expose()).ok_or(Distrust::Unverified("the key does not read"))?;
    let signed = [timestamp.as_bytes(), callback.body].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(&signed, &signature)
        .map_err(|_| Distrust::Unverified("its signature is wrong"))?;
    let seconds = timestamp
        .parse()
        .map_err(|_| Distrust::Unverified("its timestamp does not read"))?;
    callback.check_age(seconds)?;
    let events: Vec<Event> = serde_json::from_slice(callback.body)
        .map_err(|_| Distrust::Malformed("it is no list of SendGrid events"))?;
    Ok(events.iter().map(report).collect())
}

fn report(event: &Event) -> Report {
    let what = match event.kind.as_str() {
        "delivered" => Some(Fate::Delivered),
        "spamreport" => Some(Fate::Complained),
        "bounce" | "dropped" => {
            let said = format!("{} {}", event.status, event.reason);
            let invalid = event.kind == "bounce"
                && event.r#type != "blocked"
                && event.bounce_classification == "Invalid Address";
            Some(bounced(&said, invalid))
        }
        _ => None,
    };
    Report {
        subject: Subject::of_message_id(event.smtp_id.as_deref()),
        what,
    }
}
