use super::*;

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:mail";
const CERTIFICATE: &str =
    "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem";

impl World {
    /// An SNS message, signed as it says.
    fn sns(&self, mut envelope: Value) -> Vec<u8> {
        let text = signed_text(&envelope);
        let mut signature = vec![0; self.sns.public_modulus_len()];
        self.sns
            .sign(
                &RSA_PKCS1_SHA256,
                &random(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        envelope["Signature"] = json!(BASE64_STANDARD.encode(signature));
        envelope.to_string().into_bytes()
    }

    async fn ses(&self, envelope: Value) -> Result<Vec<Report>, Distrust> {
        let body = self.sns(envelope);
        self.read(HookProvider::Ses, TOPIC, &[], &body).await
    }
}

/// As the developer guide of SNS puts it, apart from the code under test.
fn signed_text(envelope: &Value) -> String {
    let names: &[&str] = if envelope["Type"] == "Notification" {
        &[
            "Message",
            "MessageId",
            "Subject",
            "Timestamp",
            "TopicArn",
            "Type",
        ]
    } else {
        &[
            "Message",
            "MessageId",
            "SubscribeURL",
            "Timestamp",
            "Token",
            "TopicArn",
            "Type",
        ]
    };
    let line = |name: &&str| Some(format!("{name}\n{}\n", envelope[*name].as_str()?));
    names.iter().filter_map(line).collect()
}

fn notification(message: &Value) -> Value {
    json!({
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": message.to_string(),
        "Timestamp": "2027-01-15T07:59:30.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
    })
}

fn ses_mail() -> Value {
    json!({
        "timestamp": "2027-01-15T07:59:00.000Z",
        "messageId": "0107018a-0000",
        "headersTruncated": false,
        "headers": [
            {"name": "From", "value": "login@example.com"},
            {"name": "Message-ID", "value": message_id()},
        ],
        "commonHeaders": {"subject": "123456 is your code"},
    })
}

fn ses_bounce(kind: &str, status: &str) -> Value {
    json!({
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": kind,
            "bounceSubType": "General",
            "bouncedRecipients": [{
                "emailAddress": "ada@example.com",
                "action": "failed",
                "status": status,
                "diagnosticCode": format!("smtp; 550 {status} user unknown"),
            }],
        },
        "mail": ses_mail(),
    })
}

#[tokio::test]
async fn ses_is_believed_by_the_certificate_of_its_topics_region() {
    let world = World::new();
    assert!(is_bounce(only(
        world
            .ses(notification(&ses_bounce("Permanent", "5.1.1")))
            .await
    )));
    assert!(!is_bounce(only(
        world
            .ses(notification(&ses_bounce("Permanent", "5.7.1")))
            .await
    )));
    assert_eq!(
        only(
            world
                .ses(notification(&ses_bounce("Transient", "4.4.7")))
                .await
        ),
        None
    );
    let delivery = json!({"eventType": "Delivery", "delivery": {}, "mail": ses_mail()});
    assert_eq!(
        only(world.ses(notification(&delivery)).await),
        Some(Fate::Delivered)
    );
    let complaint = json!({"eventType": "Complaint", "complaint": {}, "mail": ses_mail()});
    assert_eq!(
        only(world.ses(notification(&complaint)).await),
        Some(Fate::Complained)
    );
    let asked = world.amazon.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        ["sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"],
        "once for all"
    );
}

#[tokio::test]
async fn an_sns_message_that_is_not_the_pinned_topics_own_is_refused_before_anything_is_fetched() {
    let world = World::new();
    let good = notification(&ses_bounce("Permanent", "5.1.1"));
    for (field, value) in [
        ("TopicArn", "arn:aws:sns:eu-central-1:123456789012:other"),
        ("TopicArn", "arn:aws:sns:us-east-1:123456789012:mail"),
        (
            "SigningCertURL",
            "https://evil.example/SimpleNotificationService-0a1b2c.pem",
        ),
        ("SigningCertURL", "http://169.254.169.254/latest/meta-data"),
        ("SignatureVersion", "1"),
        ("Timestamp", "2027-01-14T07:59:59.000Z"),
        ("Timestamp", "2027-01-15T08:05:01.000Z"),
        ("Timestamp", "yesterday"),
    ] {
        let mut bad = good.clone();
        bad[field] = json!(value);
        let refused = world.ses(bad).await;
        assert!(
            matches!(refused, Err(Distrust::Unverified(_))),
            "{field}={value}: {refused:?}"
        );
    }
    assert!(world.amazon.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_sns_message_that_was_changed_after_it_was_signed_is_refused() {
    let world = World::new();
    let body = world.sns(notification(&ses_bounce("Permanent", "5.1.1")));
    for (from, to) in [
        ("5.1.1", "5.1.2"),
        ("Bounce", "Delive"),
        ("07:59:30", "07:59:31"),
    ] {
        let changed = String::from_utf8(body.clone()).unwrap().replace(from, to);
        let refused = world
            .read(HookProvider::Ses, TOPIC, &[], changed.as_bytes())
            .await;
        assert!(
            matches!(refused, Err(Distrust::Unverified(_))),
            "{from}: {refused:?}"
        );
    }
}

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation",
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "2336412f37fb&Action=Evil",
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": "https://evil.example/?Action=ConfirmSubscription",
        "Timestamp": "2027-01-15T07:59:30.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
    })
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_the_topics_own_host_whatever_the_message_says() {
    let world = World::new();
    assert_eq!(world.ses(confirmation()).await, Ok(Vec::new()));
    let asked = world.amazon.asked.lock().unwrap().clone();
    assert_eq!(
        asked[1],
        "sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1\
         %3A123456789012%3Amail&Token=2336412f37fb%26Action%3DEvil"
    );
}

#[tokio::test]
async fn a_subscription_that_is_not_signed_is_not_confirmed() {
    let world = World::new();
    let body = String::from_utf8(world.sns(confirmation())).unwrap();
    let forged = body.replace("You have", "We have");
    let refused = world
        .read(HookProvider::Ses, TOPIC, &[], forged.as_bytes())
        .await;
    assert!(matches!(refused, Err(Distrust::Unverified(_))));
    assert_eq!(
        world.amazon.asked.lock().unwrap().len(),
        1,
        "the certificate alone"
    );
}

/// A notification that names another certificate.
fn naming(file: &str) -> Value {
    let mut one = notification(&ses_bounce("Permanent", "5.1.1"));
    one["SigningCertURL"] = json!(format!(
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-{file}.pem"
    ));
    one
}

/// A forger's message: of the pinned topic, with the certificate that it names, badly signed.
async fn forged(world: &World, file: &str) -> Result<Vec<Report>, Distrust> {
    let body = String::from_utf8(world.sns(naming(file))).unwrap();
    let body = body.replace("user unknown", "user well known");
    world
        .read(HookProvider::Ses, TOPIC, &[], body.as_bytes())
        .await
}

#[tokio::test]
async fn a_forger_who_knows_the_topic_cannot_delay_the_true_certificate() {
    let world = World::new();
    for n in 0..20 {
        assert!(forged(&world, &n.to_string()).await.is_err());
    }
    // Also by its own name, before it was ever needed.
    assert!(forged(&world, "0a1b2c").await.is_err());
    let bounce = notification(&ses_bounce("Permanent", "5.1.1"));
    assert!(is_bounce(only(world.ses(bounce).await)));
}

#[tokio::test]
async fn a_certificate_that_is_held_serves_while_made_up_ones_are_under_way() {
    let world = World::new();
    let bounce = || notification(&ses_bounce("Permanent", "5.1.1"));
    assert!(world.ses(bounce()).await.is_ok());
    world.amazon.hangs.store(true, Ordering::SeqCst);
    let names: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    let mut forging = Box::pin(futures_util::future::join_all(
        names.iter().map(|name| forged(&world, name)),
    ));
    assert!(futures_util::poll!(&mut forging).is_pending());
    assert!(is_bounce(only(world.ses(bounce()).await)));
    let asked = world.amazon.asked.lock().unwrap().len();
    assert_eq!(asked, 1 + 4, "a few at a time");
}

#[tokio::test]
async fn a_certificate_that_verified_a_message_is_not_pushed_out_by_others() {
    let world = World::new();
    assert!(
        world
            .ses(notification(&ses_bounce("Permanent", "5.1.1")))
            .await
            .is_ok()
    );
    for n in 0..50 {
        assert!(forged(&world, &n.to_string()).await.is_err());
    }
    let asked = world.amazon.asked.lock().unwrap().len();
    assert!(
        world
            .ses(notification(&ses_bounce("Permanent", "5.1.1")))
            .await
            .is_ok()
    );
    assert_eq!(world.amazon.asked.lock().unwrap().len(), asked);
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_asked_for_once_in_a_while() {
    let world = World::new();
    world.amazon.fails.store(true, Ordering::SeqCst);
    for _ in 0..10 {
        let refused = forged(&world, "9").await;
        assert!(matches!(refused, Err(Distrust::NotNow(_))), "{refused:?}");
    }
    assert_eq!(world.amazon.asked.lock().unwrap().len(), 1);
    world.amazon.fails.store(false, Ordering::SeqCst);
    assert!(
        world
            .ses(notification(&ses_bounce("Permanent", "5.1.1")))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_certificate_is_renewed_after_a_day_and_serves_while_amazon_does_not_answer() {
    let world = World::new();
    let find = async |now| {
        let found = world.hooks.sns.held(TOPIC, CERTIFICATE, now).await;
        (found, world.amazon.asked.lock().unwrap().len())
    };
    assert!(
        world
            .ses(notification(&ses_bounce("Permanent", "5.1.1")))
            .await
            .is_ok()
    );
    assert_eq!(find(NOW + 86_399).await, (true, 1));
    world.amazon.fails.store(true, Ordering::SeqCst);
    assert_eq!(find(NOW + 86_400).await, (true, 2));
    assert_eq!(
        find(NOW + 86_401).await,
        (true, 2),
        "asked again after a pause"
    );
    assert_eq!(find(NOW + 86_405).await, (true, 3));
    assert_eq!(find(NOW + 7 * 86_400).await, (false, 4));
    world.amazon.fails.store(false, Ordering::SeqCst);
    assert_eq!(find(NOW + 7 * 86_400 + 5).await, (true, 5));
}

#[tokio::test]
async fn mail_that_is_not_ours_is_told_apart() {
    let world = World::new();
    let mut foreign = ses_bounce("Permanent", "5.1.1");
    foreign["mail"]["headers"] =
        json!([{"name": "Message-ID", "value": "<newsletter-1@example.com>"}]);
    let reports = world.ses(notification(&foreign)).await.unwrap();
    assert_eq!(reports[0].subject, Subject::Foreign);
}
