//! Amazon SES tells an SNS topic, and that calls us. A message is signed by a certificate of SNS
//! (Amazon SNS developer guide, "Verifying the signatures of Amazon SNS messages"); only topics that
//! sign with SHA-256 (SignatureVersion 2) are believed, since whoever has a topic of their own can
//! have chosen texts signed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::model::{Fate, SecretText};
use serde::Deserialize;

use super::aws::{SnsKeys, TopicArn};
use super::payload::{Report, Subject, bounced};
use super::{Callback, Distrust};

/// An SNS message.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    r#type: String,
    message_id: String,
    topic_arn: String,
    message: String,
    timestamp: String,
    signature_version: String,
    signature: String,
    #[serde(rename = "SigningCertURL")]
    signing_cert_url: String,
    #[serde(default)]
    subject: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(rename = "SubscribeURL", default)]
    subscribe_url: Option<String>,
}

impl Envelope {
    /// What is signed: names and values, a line each, in the order of the names.
    fn signed(&self) -> String {
        let subscription = self.r#type != "Notification";
        let parts = [
            ("Message", Some(self.message.as_str())),
            ("MessageId", Some(self.message_id.as_str())),
            ("Subject", self.subject.as_deref().filter(|_| !subscription)),
            (
                "SubscribeURL",
                self.subscribe_url.as_deref().filter(|_| subscription),
            ),
            ("Timestamp", Some(self.timestamp.as_str())),
            ("Token", self.token.as_deref().filter(|_| subscription)),
            ("TopicArn", Some(self.topic_arn.as_str())),
            ("Type", Some(self.r#type.as_str())),
        ];
        let lines = parts
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}\n{}\n", value?)));
        lines.collect::<Vec<_>>().concat()
    }
}

pub(super) async fn read(
    keys: &SnsKeys,
    secret: &SecretText,
    callback: &Callback<'_>,
) -> Result<Vec<Report>, Distrust> {
    let envelope: Envelope = serde_json::from_slice(callback.body)
        .map_err(|_| Distrust::Unverified("it is no SNS message"))?;
    let topic = TopicArn::parse(secret.expose())
        .ok_or(Distrust::Unverified("the pinned topic does not read"))?;
    if envelope.topic_arn != topic.as_str() {
        return Err(Distrust::Unverified("it is of another topic"));
    }
    verify(keys, &topic, &envelope, callback).await?;
    match envelope.r#type.as_str() {
        "Notification" => report(&envelope.message).map(|report| vec![report]),
        "SubscriptionConfirmation" => {
            let token = envelope.token.as_deref().unwrap_or_default();
            keys.confirm(&topic, token).await?;
            tracing::info!(
                topic = topic.as_str(),
                "subscription of the topic confirmed"
            );
            Ok(Vec::new())
        }
        _ => Ok(Vec::new()),
    }
}

async fn verify(
    keys: &SnsKeys,
    topic: &TopicArn,
    envelope: &Envelope,
    callback: &Callback<'_>,
) -> Result<(), Distrust> {
    if envelope.signature_version != "2" {
        let told = "the topic signs with SHA-1: set its attribute SignatureVersion to 2";
        return Err(Distrust::Unverified(told));
    }
    let sent_at = humantime::parse_rfc3339(&envelope.timestamp)
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|at| i64::try_from(at.as_secs()).ok())
        .ok_or(Distrust::Unverified("its timestamp does not read"))?;
    callback.check_age(sent_at)?;
    let signature = BASE64_STANDARD
        .decode(&envelope.signature)
        .map_err(|_| Distrust::Unverified("it is not signed"))?;
    let signed = (envelope.signed(), signature);
    keys.verify(
        topic,
        &envelope.signing_cert_url,
        (&signed.0, &signed.1),
        callback.now,
    )
    .await
}

/// What SES put into the message; feedback notifications and event publishing name its kind apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(rename = "eventType", alias = "notificationType")]
    kind: String,
    #[serde(default)]
    mail: Mail,
    #[serde(default)]
    bounce: Bounce,
    #[serde(default)]
    reject: Reject,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(default)]
    bounce_type: String,
    #[serde(default)]
    bounced_recipients: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    diagnostic_code: Option<String>,
}

#[derive(Default, Deserialize)]
struct Reject {
    #[serde(default)]
    reason: String,
}

fn report(message: &str) -> Result<Report, Distrust> {
    let event: Event = serde_json::from_str(message)
        .map_err(|_| Distrust::Malformed("its message is no SES event"))?;
    let what = match event.kind.as_str() {
        "Delivery" => Some(Fate::Delivered),
        "Complaint" => Some(Fate::Complained),
        "Bounce" if event.bounce.bounce_type == "Permanent" => Some(returned(&event.bounce)),
        "Reject" => Some(bounced(&event.reject.reason, false)),
        _ => None,
    };
    let headers = &event.mail.headers;
    let ours = headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("message-id"));
    Ok(Report {
        subject: Subject::of_message_id(ours.map(|header| header.value.as_str())),
        what,
    })
}

/// Our mails have one recipient.
fn returned(bounce: &Bounce) -> Fate {
    let Some(one) = bounce.bounced_recipients.first() else {
        return bounced("", false);
    };
    let parts = [&one.status, &one.diagnostic_code];
    let said: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    bounced(&said.join(" "), false)
}
