mod babble;
mod certificates;
mod xoauth2;

use std::time::Duration;

use lettre::address::{Address, Envelope};
use postern_core::model::{SecretText, TlsMode};
use postern_testkit::smtp::{Act, Builder, Certificate, Encryption, SmtpServer, Step};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::*;

const MESSAGE: &[u8] = b"Subject: hello\r\n\r\nfirst line\r\n.a line with a dot\r\n";

struct World {
    server: SmtpServer,
    smtp: Smtp,
}

impl World {
    async fn new(builder: Builder, tls: TlsMode) -> Self {
        Self::with(builder, tls, None, Limits::default()).await
    }

    async fn plain() -> Self {
        Self::new(SmtpServer::builder(), TlsMode::None).await
    }

    async fn with(
        builder: Builder,
        tls: TlsMode,
        login: Option<(&str, &str)>,
        limits: Limits,
    ) -> Self {
        let server = builder.start().await.unwrap();
        let endpoint = Endpoint {
            host: "127.0.0.1".to_owned(),
            port: server.addr().port(),
            tls,
            login: login.map(|(name, password)| {
                Login::Password(name.to_owned(), SecretText::new(password))
            }),
            hello: "postern.test".to_owned(),
        };
        let ca = CertificateDer::from_pem_slice(server.ca_pem().as_bytes()).unwrap();
        let smtp = Smtp::new(endpoint, Trust::Only(vec![ca]), limits);
        Self { server, smtp }
    }

    async fn send(&self) -> Outcome {
        self.send_to("ada@example.com").await
    }

    async fn send_to(&self, to: &str) -> Outcome {
        let from: Address = "login@app.example".parse().unwrap();
        let envelope = Envelope::new(Some(from), vec![to.parse().unwrap()]).unwrap();
        self.smtp
            .send(&envelope, MESSAGE, &["482913"], Patience::WHOLE)
            .await
    }
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    for builder in [
        SmtpServer::builder(),
        SmtpServer::builder().without_pipelining(),
    ] {
        let world = World::new(builder, TlsMode::None).await;
        assert!(matches!(world.send().await, Outcome::Sent(_)));
        let mails = world.server.wait_for(1).await;
        assert_eq!(mails[0].from, "login@app.example");
        assert_eq!(mails[0].to, ["ada@example.com"]);
        assert!(
            mails[0].data.starts_with(MESSAGE),
            "{:?}",
            String::from_utf8_lossy(&mails[0].data)
        );
    }
}

#[tokio::test]
async fn a_connection_is_used_again_for_the_next_mail() {
    let world = World::plain().await;
    for _ in 0..3 {
        assert!(matches!(world.send().await, Outcome::Sent(_)));
    }
    assert_eq!(world.server.connections(), 1);
}

#[tokio::test]
async fn a_connection_that_died_while_idle_is_replaced_without_an_error() {
    for act in [Act::Drop, Act::ReplyAndDrop(421, "too idle".to_owned())] {
        let world = World::plain().await;
        world.send().await;
        world.server.once(Step::Mail, act);
        assert!(matches!(world.send().await, Outcome::Sent(_)));
        assert_eq!(world.server.connections(), 2);
        assert_eq!(world.server.count(), 2);
    }
}

#[tokio::test]
async fn a_connection_past_its_idle_time_is_not_used() {
    let limits = Limits {
        idle: Duration::ZERO,
        ..Limits::default()
    };
    let world = World::with(SmtpServer::builder(), TlsMode::None, None, limits).await;
    world.send().await;
    world.send().await;
    assert_eq!(world.server.connections(), 2);
}

#[tokio::test]
async fn implicit_tls_and_starttls_encrypt_the_whole_mail() {
    for (encryption, tls) in [
        (Encryption::Implicit, TlsMode::Implicit),
        (Encryption::StartTls, TlsMode::StartTls),
    ] {
        let world = World::new(SmtpServer::builder().encryption(encryption), tls).await;
        let outcome = world.send().await;
        assert!(matches!(outcome, Outcome::Sent(_)), "{outcome:?}");
        assert!(world.server.wait_for(1).await[0].encrypted);
    }
}

#[tokio::test]
async fn a_server_without_starttls_gets_no_mail_in_the_clear() {
    let world = World::new(SmtpServer::builder(), TlsMode::StartTls).await;
    let outcome = world.send().await;
    assert!(
        matches!(&outcome, Outcome::ProviderTrouble(r) if r.text.contains("STARTTLS")),
        "{outcome:?}"
    );
    assert_eq!(world.server.count(), 0);
}

#[tokio::test]
async fn mail_without_tls_goes_to_loopback_only() {
    let endpoint = Endpoint {
        host: "192.0.2.1".to_owned(),
        port: 25,
        tls: TlsMode::None,
        login: None,
        hello: "postern.test".to_owned(),
    };
    let smtp = Smtp::new(endpoint, Trust::System, Limits::default());
    let envelope = Envelope::new(None, vec!["ada@example.com".parse().unwrap()]).unwrap();
    let outcome = smtp.send(&envelope, MESSAGE, &[], Patience::WHOLE).await;
    assert!(
        matches!(&outcome, Outcome::ProviderTrouble(r) if r.text.contains("loopback")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_login_opens_the_door_and_a_wrong_one_is_the_providers_trouble() {
    let builder = SmtpServer::builder().account("postern", "open sesame");
    let right = World::with(
        builder.clone(),
        TlsMode::None,
        Some(("postern", "open sesame")),
        Limits::default(),
    )
    .await;
    assert!(matches!(right.send().await, Outcome::Sent(_)));
    assert_eq!(
        right.server.wait_for(1).await[0].login.as_deref(),
        Some("postern")
    );

    let wrong = World::with(
        builder,
        TlsMode::None,
        Some(("postern", "guessed-password")),
        Limits::default(),
    )
    .await;
    let outcome = wrong.send().await;
    assert!(
        matches!(&outcome, Outcome::ProviderTrouble(r) if r.stage == Stage::Auth),
        "{outcome:?}"
    );
    assert!(
        !outcome.reply().text.contains("guessed-password"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn refusals_are_told_apart_by_where_they_come() {
    let stages = [
        Step::Banner,
        Step::Ehlo,
        Step::Mail,
        Step::Rcpt,
        Step::Data,
        Step::EndOfData,
    ];
    for pipelining in [true, false] {
        for step in stages {
            let builder = if pipelining {
                SmtpServer::builder()
            } else {
                SmtpServer::builder().without_pipelining()
            };
            let world = World::new(builder, TlsMode::None).await;
            world.server.once(step, Act::reply(550));
            let refused = world.send().await;
            let is_final = matches!(step, Step::Rcpt | Step::EndOfData);
            assert_eq!(
                refused.as_str(),
                if is_final {
                    "bounced"
                } else {
                    "provider_trouble"
                },
                "550 at {step:?}"
            );

            world.server.once(step, Act::reply(451));
            let deferred = world.send().await;
            // An open connection has no greeting left to fail.
            if !matches!(step, Step::Banner | Step::Ehlo)
                || deferred.reply().code.is_some_and(|code| code == 451)
            {
                assert_eq!(deferred.as_str(), "retry", "451 at {step:?}: {deferred:?}");
            }
            world.server.heal();
            assert_eq!(world.send().await.as_str(), "sent", "after {step:?}");
            assert_eq!(world.server.count(), 1);
        }
    }
}

#[tokio::test]
async fn a_refused_recipient_does_not_spoil_the_connection_for_the_next() {
    let world = World::plain().await;
    world.send().await;
    world
        .server
        .always_for("bad@example.com", Step::Rcpt, Act::reply(550));
    assert_eq!(world.send_to("bad@example.com").await.as_str(), "bounced");
    assert_eq!(world.send().await.as_str(), "sent");
    assert_eq!(world.server.count(), 2);
}

#[tokio::test]
async fn a_lost_answer_leaves_it_unsure_and_a_lost_connection_before_data_does_not() {
    let world = World::plain().await;
    for (step, act, expected) in [
        (Step::EndOfData, Act::AcceptAndDrop, "unsure"),
        (Step::EndOfData, Act::Drop, "unsure"),
        (Step::Body, Act::Drop, "unsure"),
        (Step::Banner, Act::Drop, "retry"),
        (Step::Ehlo, Act::Drop, "retry"),
        (Step::Mail, Act::Drop, "retry"),
        (Step::Rcpt, Act::Drop, "retry"),
        (Step::Data, Act::Drop, "retry"),
    ] {
        world.server.heal();
        world.server.times(2, step, act.clone());
        assert_eq!(world.send().await.as_str(), expected, "{act:?} at {step:?}");
    }
    assert_eq!(world.server.count(), 1);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_only_after_the_message_is_it_unsure() {
    let limits = Limits {
        attempt: Duration::from_millis(100),
        ..Limits::default()
    };
    for (step, expected, stage) in [
        (Step::Banner, "retry", Stage::Greeting),
        (Step::Mail, "retry", Stage::Mail),
        (Step::Rcpt, "retry", Stage::Rcpt),
        (Step::EndOfData, "unsure", Stage::EndOfData),
    ] {
        let world = World::with(
            SmtpServer::builder().without_pipelining(),
            TlsMode::None,
            None,
            limits,
        )
        .await;
        world.server.always(step, Act::Silence);
        let outcome = world.send().await;
        assert_eq!((outcome.as_str(), outcome.reply().stage), (expected, stage));
    }
}

#[tokio::test]
async fn a_closed_port_is_a_retry() {
    let world = World::plain().await;
    drop(world.server);
    tokio::task::yield_now().await;
    let envelope = Envelope::new(None, vec!["ada@example.com".parse().unwrap()]).unwrap();
    assert_eq!(
        world
            .smtp
            .send(&envelope, MESSAGE, &[], Patience::WHOLE)
            .await
            .as_str(),
        "retry"
    );
}

#[tokio::test]
async fn a_utf8_address_needs_a_server_that_takes_it() {
    let able = World::plain().await;
    assert_eq!(able.send_to("дарья@example.com").await.as_str(), "sent");
    assert_eq!(able.server.wait_for(1).await[0].parameters, ["SMTPUTF8"]);

    let unable = World::new(SmtpServer::builder().without_smtputf8(), TlsMode::None).await;
    assert_eq!(
        unable.send_to("дарья@example.com").await.as_str(),
        "bounced"
    );
    assert_eq!(unable.send().await.as_str(), "sent");
}

#[tokio::test]
async fn one_slow_recipient_holds_up_one_connection_only() {
    let world = World::plain().await;
    world
        .server
        .always_for("slow@example.com", Step::Rcpt, Act::Silence);
    let slow = world.send_to("slow@example.com");
    let quick = async {
        for _ in 0..20 {
            assert_eq!(world.send().await.as_str(), "sent");
        }
    };
    tokio::select! {
        outcome = slow => panic!("the silent server answered: {outcome:?}"),
        () = quick => {}
    }
    assert_eq!(world.server.count(), 20);
}

#[tokio::test]
async fn while_another_provider_waits_silence_is_borne_only_until_the_message_is_out() {
    let hurried = Patience {
        another: true,
        ..Patience::WHOLE
    };
    let limits = Limits {
        opening: Duration::from_millis(100),
        ..Limits::default()
    };
    let world = World::with(SmtpServer::builder(), TlsMode::None, None, limits).await;
    let envelope = Envelope::new(None, vec!["ada@example.com".parse().unwrap()]).unwrap();
    let send = || world.smtp.send(&envelope, MESSAGE, &[], hurried);
    world.server.once(Step::Banner, Act::Silence);
    let silent = send().await;
    assert_eq!(
        (silent.as_str(), silent.reply().stage),
        ("retry", Stage::Greeting)
    );
    let slow = Act::Slow(Duration::from_millis(400));
    world.server.once(Step::EndOfData, slow);
    assert_eq!(send().await.as_str(), "sent");
}

#[tokio::test]
async fn while_another_provider_waits_no_mail_queues_long_for_a_connection() {
    let limits = Limits {
        connections: 1,
        spill: Duration::from_millis(50),
        ..Limits::default()
    };
    let world = World::with(SmtpServer::builder(), TlsMode::None, None, limits).await;
    world.server.once(Step::EndOfData, Act::Silence);
    let envelope = Envelope::new(None, vec!["ada@example.com".parse().unwrap()]).unwrap();
    let hurried = Patience {
        another: true,
        ..Patience::WHOLE
    };
    let busy = world.smtp.send(&envelope, MESSAGE, &[], hurried);
    let spilt = async {
        while world.server.connections() == 0 {
            tokio::task::yield_now().await;
        }
        world.smtp.send(&envelope, MESSAGE, &[], hurried).await
    };
    tokio::select! {
        outcome = busy => panic!("the silent server answered: {outcome:?}"),
        outcome = spilt => assert_eq!(outcome.reply().stage, Stage::Pool),
    }
}
