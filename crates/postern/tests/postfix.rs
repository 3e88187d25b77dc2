//! Mail through a real Postfix: STARTTLS, its certificate checked, the message intact behind it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use mail_parser::MessageParser;
use postern::mail::smtp::{Endpoint, Limits, Smtp, Trust};
use postern::mail::{
    Credentials, Fields, Kind, Mail, Outcome, Patience, Stage, Templates, Transport as _,
};
use postern_core::model::{
    AuthRequestId, DeliveryId, Email, Passcode, RequestHandle, Timestamp, TlsMode,
};
use postern_testkit::postfix::Postfix;
use postern_testkit::smtp::SmtpServer;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

struct World {
    postfix: Postfix,
    behind: SmtpServer,
}

impl World {
    async fn new() -> Self {
        let behind = SmtpServer::builder().start().await.unwrap();
        let postfix = Postfix::start(behind.addr()).unwrap_or_else(|error| panic!("{error}"));
        Self { postfix, behind }
    }

    fn smtp(&self, tls: TlsMode) -> Smtp {
        let endpoint = Endpoint {
            host: "localhost".to_owned(),
            port: self.postfix.addr().port(),
            tls,
            login: None,
            hello: "postern.test".to_owned(),
        };
        let ca = CertificateDer::from_pem_slice(self.postfix.ca_pem().as_bytes()).unwrap();
        Smtp::new(endpoint, Trust::Only(vec![ca]), Limits::default())
    }
}

fn mail(to: &str) -> Mail {
    let mut fields = Fields::default();
    for name in postern::mail::ALWAYS {
        fields.set(name, "");
    }
    for (name, value) in [
        ("app_name", "Ακμή & Co"),
        ("otp", "482913"),
        ("code_domain", "acme.example"),
        ("user_email", to),
    ] {
        fields.set(name, value);
    }
    Mail {
        delivery: DeliveryId {
            request: AuthRequestId::from_bytes([7; 16]),
            ordinal: 0,
        },
        from: "Acme <login@acme.example>".parse().unwrap(),
        to: Email::parse(to).unwrap(),
        parts: Templates::built_in()
            .fill(Kind::SigninOtp, &fields)
            .unwrap(),
        dated: Timestamp::from_unix_seconds(1_795_379_460),
        credentials: Credentials {
            passcode: Some(Passcode::new("482913")),
            link: None,
            link_token: None,
            page_token: None,
            handle: RequestHandle::new("handle"),
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_arrives_through_a_real_postfix_with_starttls() {
    let world = World::new().await;
    let smtp = world.smtp(TlsMode::StartTls);

    let addresses = ["ada@example.com", "дарья@example.com", "ada@bücher.example"];
    for to in addresses {
        let outcome = smtp.deliver(&mail(to), Patience::WHOLE).await;
        assert!(
            matches!(outcome, Outcome::Sent(_)),
            "{to}: {outcome:?}\n{}",
            world.postfix.log()
        );
    }
    let received = world.behind.wait_for(3).await;
    let mut to: Vec<&str> = received.iter().map(|mail| mail.to[0].as_str()).collect();
    to.sort_unstable();
    assert_eq!(
        to,
        [
            "ada@example.com",
            "ada@xn--bcher-kva.example",
            "дарья@example.com"
        ]
    );
    for arrived in &received {
        let parsed = MessageParser::default().parse(&arrived.data).unwrap();
        assert!(parsed.received().is_some(), "it came by way of Postfix");
        assert_eq!(
            parsed.subject().unwrap(),
            "482913 is your code to sign in to Ακμή & Co"
        );
        assert_eq!(
            parsed.message_id().unwrap(),
            format!("{}@acme.example", mail("ada@example.com").delivery)
        );
        assert!(
            parsed
                .body_text(0)
                .unwrap()
                .trim_end()
                .ends_with("@acme.example #482913")
        );
        assert!(parsed.body_html(0).unwrap().contains("Ακμή &amp; Co"));
    }
    let log = world.postfix.log();
    assert!(
        log.contains("TLS connection established from localhost[127.0.0.1]"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_postfix_refuses_and_defers_as_we_read_it() {
    let world = World::new().await;
    let smtp = world.smtp(TlsMode::StartTls);
    let refused = smtp.deliver(&mail(Postfix::UNKNOWN), Patience::WHOLE).await;
    assert!(
        matches!(&refused, Outcome::Bounced(reply) if reply.code == Some(550)),
        "{refused:?}"
    );
    assert!(!refused.reply().text.contains('@'), "{refused:?}");
    let deferred = smtp.deliver(&mail(Postfix::BUSY), Patience::WHOLE).await;
    assert!(
        matches!(&deferred, Outcome::Retry(reply) if reply.code == Some(451)),
        "{deferred:?}"
    );
    let sent = smtp
        .deliver(&mail("ada@example.com"), Patience::WHOLE)
        .await;
    assert!(matches!(sent, Outcome::Sent(_)), "{sent:?}");

    let plain = world
        .smtp(TlsMode::None)
        .deliver(&mail("ada@example.com"), Patience::WHOLE)
        .await;
    assert!(
        matches!(&plain, Outcome::ProviderTrouble(reply) if reply.stage == Stage::Mail),
        "{plain:?}"
    );
    assert_eq!(world.behind.wait_for(1).await.len(), 1);
}
