mod ses;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use postern_core::model::{AuthRequestId, DeliveryId, Fate};
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

#[expect(clippy::disallowed_methods, reason = "the services' own randomness")]
fn random() -> SystemRandom {
    SystemRandom::new()
}

fn ours() -> DeliveryId {
    DeliveryId {
        request: AuthRequestId::from_bytes([7; 16]),
        ordinal: 2,
    }
}

fn message_id() -> String {
    format!("<{}@mail.example.com>", ours())
}

/// The outside world: answers with the certificate and notes what was asked for.
#[derive(Default)]
struct Amazon {
    pem: String,
    asked: Mutex<Vec<String>>,
    hangs: AtomicBool,
    fails: AtomicBool,
}

#[async_trait]
impl Fetch for Arc<Amazon> {
    async fn get(&self, host: &str, path: &str) -> Result<Vec<u8>, String> {
        self.asked.lock().unwrap().push(format!("{host}{path}"));
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err("answered 403 Forbidden".to_owned());
        }
        Ok(self.pem.clone().into_bytes())
    }
}

struct World {
    hooks: Hooks,
    amazon: Arc<Amazon>,
    sns: RsaKeyPair,
}

impl World {
    fn new() -> Self {
        let key =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        let key = key.unwrap();
        let names = vec!["sns.eu-central-1.amazonaws.com".to_owned()];
        let certificate = rcgen::CertificateParams::new(names).unwrap();
        let pem = certificate.self_signed(&key).unwrap().pem();
        let amazon = Arc::new(Amazon {
            pem,
            ..Amazon::default()
        });
        Self {
            hooks: Hooks::new(Arc::new(Arc::clone(&amazon))),
            amazon,
            sns: RsaKeyPair::from_pkcs8(&key.serialize_der()).unwrap(),
        }
    }

    async fn read(
        &self,
        provider: HookProvider,
        secret: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<Vec<Report>, Distrust> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                (name, HeaderValue::from_str(value).unwrap())
            })
            .collect();
        let callback = Callback {
            headers: &headers,
            body,
            now: Timestamp::from_unix_seconds(NOW),
        };
        check_secret(provider, secret).unwrap();
        verified(&self.hooks, provider, &SecretText::new(secret), &callback).await
    }
}

fn only(reports: Result<Vec<Report>, Distrust>) -> Option<Fate> {
    let reports = reports.unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].subject, Subject::Delivery(ours()));
    reports[0].what.clone()
}

fn is_bounce(fate: Option<Fate>) -> bool {
    let Some(Fate::Bounced {
        bad_mailbox,
        reason,
    }) = fate
    else {
        panic!("{fate:?} is no bounce");
    };
    assert!(!reason.contains('@'), "{reason}");
    bad_mailbox
}

const POSTMARK: &str = "postern:0123456789abcdef";

fn postmark(record: &str, more: &Value) -> Vec<u8> {
    let mut event = json!({
        "RecordType": record,
        "MessageStream": "outbound",
        "ID": 42,
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "Metadata": {"postern-delivery": ours().to_string()},
        "Email": "ada@example.com",
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event.to_string().into_bytes()
}

fn basic(credentials: &str) -> [(&'static str, String); 1] {
    let text = BASE64_STANDARD.encode(credentials);
    [("authorization", format!("Basic {text}"))]
}

#[tokio::test]
async fn postmark_is_believed_with_its_name_and_password() {
    let world = World::new();
    let bounce = json!({
        "Type": "HardBounce", "TypeCode": 1, "Name": "Hard bounce",
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 <ada@example.com>: user unknown",
        "BouncedAt": "2027-01-15T07:59:00Z", "Inactive": true,
    });
    let body = postmark("Bounce", &bounce);
    let postmark_says = |headers: Vec<(&'static str, String)>, body: Vec<u8>| {
        let world = &world;
        async move {
            world
                .read(HookProvider::Postmark, POSTMARK, &headers, &body)
                .await
        }
    };
    let good = basic(POSTMARK).to_vec();
    assert!(is_bounce(only(
        postmark_says(good.clone(), body.clone()).await
    )));
    let soft = postmark(
        "Bounce",
        &json!({"Type": "SoftBounce", "Details": "452 4.2.2 full"}),
    );
    assert_eq!(only(postmark_says(good.clone(), soft).await), None);
    let blocked = postmark(
        "Bounce",
        &json!({"Type": "Blocked", "Details": "554 5.7.1 blocked"}),
    );
    assert!(!is_bounce(only(postmark_says(good.clone(), blocked).await)));
    let delivery = postmark("Delivery", &json!({"Details": "250 OK"}));
    assert_eq!(
        only(postmark_says(good.clone(), delivery).await),
        Some(Fate::Delivered)
    );
    let spam = postmark("SpamComplaint", &json!({"Type": "SpamComplaint"}));
    assert_eq!(
        only(postmark_says(good, spam).await),
        Some(Fate::Complained)
    );
}

#[tokio::test]
async fn postmark_without_its_name_and_password_is_not_believed() {
    let world = World::new();
    let body = postmark("Delivery", &json!({}));
    for bad in [
        vec![],
        basic("postern:0123456789abcdeg").to_vec(),
        basic("postern").to_vec(),
    ] {
        let refused = world
            .read(HookProvider::Postmark, POSTMARK, &bad, &body)
            .await;
        assert!(
            matches!(refused, Err(Distrust::Unverified(_))),
            "{refused:?}"
        );
    }
}

fn sendgrid_key() -> (EcdsaKeyPair, String) {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let head = BASE64_STANDARD
        .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=")
        .unwrap();
    let text = BASE64_STANDARD.encode([&head, key.public_key().as_ref()].concat());
    (key, text)
}

fn sendgrid_signed(key: &EcdsaKeyPair, at: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let text = [at.to_string().as_bytes(), body].concat();
    let signature = key.sign(&random(), &text).unwrap();
    vec![
        (
            "x-twilio-email-event-webhook-signature",
            BASE64_STANDARD.encode(signature),
        ),
        ("x-twilio-email-event-webhook-timestamp", at.to_string()),
    ]
}

fn sendgrid_event(more: &Value) -> Value {
    let mut event = json!({
        "email": "ada@example.com", "timestamp": NOW, "smtp-id": message_id(),
        "sg_event_id": "cGMAAA", "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event
}

#[tokio::test]
async fn sendgrid_is_believed_by_its_signature_over_timestamp_and_body() {
    let world = World::new();
    let (key, public) = sendgrid_key();
    let events = [
        json!({"event": "processed"}),
        json!({"event": "open"}),
        json!({"event": "delivered", "response": "250 OK"}),
        json!({"event": "spamreport"}),
        json!({
            "event": "bounce", "type": "bounce", "status": "5.1.1",
            "reason": "550 5.1.1 The email account ada@example.com does not exist",
            "bounce_classification": "Invalid Address",
        }),
        json!({"event": "bounce", "type": "blocked", "status": "5.7.1", "reason": "554 spam"}),
    ];
    let events: Vec<_> = events.iter().map(sendgrid_event).collect();
    let body = json!(events).to_string().into_bytes();
    let signed = sendgrid_signed(&key, NOW, &body);
    let reports = world
        .read(HookProvider::Sendgrid, &public, &signed, &body)
        .await
        .unwrap();
    let fates: Vec<_> = reports.into_iter().map(|report| report.what).collect();
    let told = [None, None, Some(Fate::Delivered), Some(Fate::Complained)];
    assert_eq!(fates[..4], told);
    assert!(is_bounce(fates[4].clone()) && !is_bounce(fates[5].clone()));
}

#[tokio::test]
async fn sendgrid_is_not_believed_with_another_key_body_or_time() {
    let world = World::new();
    let (key, public) = sendgrid_key();
    let body = json!([sendgrid_event(&json!({"event": "delivered"}))])
        .to_string()
        .into_bytes();
    let signed = sendgrid_signed(&key, NOW, &body);
    let (other, _) = sendgrid_key();
    let mut changed = body.clone();
    changed[20] ^= 1;
    let moved = (
        "x-twilio-email-event-webhook-timestamp",
        (NOW + 1).to_string(),
    );
    for (headers, body) in [
        (vec![], &body),
        (signed.clone(), &changed),
        (sendgrid_signed(&other, NOW, &body), &body),
        (sendgrid_signed(&key, NOW - 24 * 3600 - 1, &body), &body),
        (sendgrid_signed(&key, NOW + 301, &body), &body),
        (vec![signed[0].clone(), moved], &body),
    ] {
        let refused = world
            .read(HookProvider::Sendgrid, &public, &headers, body)
            .await;
        assert!(
            matches!(refused, Err(Distrust::Unverified(_))),
            "{refused:?}"
        );
    }
}

const MAILGUN: &str = "key-0123456789abcdef0123456789abcdef";

fn mailgun(key: &str, at: i64, event: &Value) -> Vec<u8> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    // Every event has a token of its own.
    let mut hasher = DefaultHasher::new();
    event.to_string().hash(&mut hasher);
    mailgun_with(&format!("{:050x}", hasher.finish()), key, at, event)
}

fn mailgun_with(token: &str, key: &str, at: i64, event: &Value) -> Vec<u8> {
    use std::fmt::Write as _;
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, format!("{at}{token}").as_bytes());
    let signature = tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let signature = json!({"timestamp": at.to_string(), "token": token, "signature": signature});
    json!({"signature": signature, "event-data": event})
        .to_string()
        .into_bytes()
}

fn mailgun_event(event: &str, more: &Value) -> Value {
    let bare = message_id().trim_matches(['<', '>']).to_owned();
    let mut event = json!({
        "event": event, "id": "G9Bn5sl1TC6nu79C8C0bwg", "timestamp": 1_800_000_000.5,
        "recipient": "ada@example.com",
        "message": {"headers": {"to": "ada@example.com", "message-id": bare, "from": "login@example.com"}},
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event
}

#[tokio::test]
async fn mailgun_is_believed_by_its_hmac_within_its_window() {
    let world = World::new();
    let says = |body: Vec<u8>| {
        let world = &world;
        async move { world.read(HookProvider::Mailgun, MAILGUN, &[], &body).await }
    };
    let failed = |severity: &str, code: &str| {
        let status =
            json!({"code": 550, "enhanced-code": code, "message": "no mailbox ada@example.com"});
        mailgun_event(
            "failed",
            &json!({"severity": severity, "delivery-status": status}),
        )
    };
    assert!(is_bounce(only(
        says(mailgun(MAILGUN, NOW, &failed("permanent", "5.1.1"))).await
    )));
    assert!(!is_bounce(only(
        says(mailgun(MAILGUN, NOW, &failed("permanent", "5.7.1"))).await
    )));
    assert_eq!(
        only(says(mailgun(MAILGUN, NOW, &failed("temporary", "4.1.1"))).await),
        None
    );
    let delivered = mailgun_event("delivered", &json!({}));
    assert_eq!(
        only(says(mailgun(MAILGUN, NOW, &delivered)).await),
        Some(Fate::Delivered)
    );
    let complained = mailgun_event("complained", &json!({}));
    assert_eq!(
        only(says(mailgun(MAILGUN, NOW, &complained)).await),
        Some(Fate::Complained)
    );
    for bad in [
        mailgun("key-0123456789abcdef0123456789abcdee", NOW, &delivered),
        mailgun(MAILGUN, NOW - 24 * 3600 - 1, &delivered),
        mailgun(MAILGUN, NOW + 301, &delivered),
        json!({"event-data": delivered}).to_string().into_bytes(),
        b"not json".to_vec(),
    ] {
        let refused = says(bad).await;
        assert!(
            matches!(refused, Err(Distrust::Unverified(_))),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_mailgun_signature_vouches_for_one_event_however_often_it_comes() {
    const TOKEN: &str = "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0";
    let world = World::new();
    let says = |body: Vec<u8>| {
        let world = &world;
        async move { world.read(HookProvider::Mailgun, MAILGUN, &[], &body).await }
    };
    let delivered = mailgun_event("delivered", &json!({}));
    for _ in 0..2 {
        let told = says(mailgun_with(TOKEN, MAILGUN, NOW, &delivered)).await;
        assert_eq!(only(told), Some(Fate::Delivered));
    }
    let complained = mailgun_event("complained", &json!({}));
    let refused = says(mailgun_with(TOKEN, MAILGUN, NOW, &complained)).await;
    assert!(
        matches!(refused, Err(Distrust::Unverified(_))),
        "{refused:?}"
    );
}

#[test]
fn a_secret_that_cannot_verify_anything_is_refused_when_it_is_set() {
    for (provider, bad) in [
        (HookProvider::Postmark, "postern"),
        (HookProvider::Postmark, "postern:short"),
        (
            HookProvider::Sendgrid,
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        ),
        (HookProvider::Mailgun, "key"),
        (HookProvider::Ses, "arn:aws:s3:::bucket"),
    ] {
        assert!(check_secret(provider, bad).is_err(), "{bad}");
    }
    let short = check_secret(HookProvider::Mailgun, "key").unwrap_err();
    assert!(short.contains("has 3 characters"), "{short}");
    let key = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==";
    assert_eq!(check_secret(HookProvider::Sendgrid, key), Ok(()));
}
