//! Mail through a real Postfix: STARTTLS, its certificate checked, a login, the message intact behind
//! it and its signatures verified by other software.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mail_parser::MessageParser;
use postern::mail::smtp::{Endpoint, Limits, Smtp, Trust};
use postern::mail::{Credentials, Fields, Kind, Mail, Outcome, Patience, Stage, Templates};
use postern_core::model::{
    AuthRequestId, DeliveryId, Email, Passcode, RequestHandle, Timestamp, TlsMode,
};
use postern_testkit::postfix::Postfix;
use postern_testkit::process::{Plan, Server};
use postern_testkit::smtp::SmtpServer;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

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

async fn deliver(smtp: &Smtp, mail: &Mail) -> Outcome {
    let (envelope, message) = mail.encode().unwrap();
    smtp.send(&envelope, &message, &mail.secrets(), Patience::WHOLE)
        .await
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
        let outcome = deliver(&smtp, &mail(to)).await;
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
    let refused = deliver(&smtp, &mail(Postfix::UNKNOWN)).await;
    assert!(
        matches!(&refused, Outcome::Bounced(reply) if reply.code == Some(550)),
        "{refused:?}"
    );
    assert!(!refused.reply().text.contains('@'), "{refused:?}");
    let deferred = deliver(&smtp, &mail(Postfix::BUSY)).await;
    assert!(
        matches!(&deferred, Outcome::Retry(reply) if reply.code == Some(451)),
        "{deferred:?}"
    );
    let sent = deliver(&smtp, &mail("ada@example.com")).await;
    assert!(matches!(sent, Outcome::Sent(_)), "{sent:?}");

    let plain = deliver(&world.smtp(TlsMode::None), &mail("ada@example.com")).await;
    assert!(
        matches!(&plain, Outcome::ProviderTrouble(reply) if reply.stage == Stage::Mail),
        "{plain:?}"
    );
    assert_eq!(world.behind.wait_for(1).await.len(), 1);
}

/// A server of ours, which sends as `login@acme.example` through a Postfix that wants a login.
struct Signing {
    world: World,
    server: Server,
    records: Value,
    _files: tempfile::TempDir,
}

impl Signing {
    async fn new() -> Self {
        let behind = SmtpServer::builder().start().await.unwrap();
        let postfix =
            Postfix::start_with_login(behind.addr()).unwrap_or_else(|error| panic!("{error}"));
        let files = tempfile::tempdir().unwrap();
        let (ca, password) = (files.path().join("ca.pem"), files.path().join("password"));
        std::fs::write(&ca, postfix.ca_pem()).unwrap();
        let (name, secret) = Postfix::ACCOUNT;
        std::fs::write(&password, secret).unwrap();
        let plan = Plan::new(env!("CARGO_BIN_EXE_postern"));
        let server = plan.environment("SSL_CERT_FILE", ca).start();
        let port = postfix.addr().port().to_string();
        let server_words = ["--host", "localhost", "--port", &port, "--tls", "starttls"];
        let from = ["--from", "Acme <login@acme.example>"];
        let add = |name, login: &[&str]| {
            let start = ["mail", "provider", "add", name];
            done(&server, &[&start[..], &server_words, &from, login].concat());
        };
        let file = password.to_str().unwrap();
        add("main", &["--username", name, "--password-file", file]);
        add("stranger", &[]);
        let made = ["mail", "dkim", "create", "acme.example", "--json"];
        let records = serde_json::from_slice(&done(&server, &made)).unwrap();
        let world = World { postfix, behind };
        Self {
            world,
            server,
            records,
            _files: files,
        }
    }

    async fn send(&self, to: &str) {
        let told = self.server.credentials();
        let url = &told.url;
        let http = reqwest::Client::new();
        let form = [
            ("grant_type", &"client_credentials".to_owned()),
            ("client_id", &told.client_id),
            ("client_secret", &told.client_secret),
        ];
        let asked = http.post(format!("{url}/oauth/token")).form(&form).send();
        let token: Value = asked.await.unwrap().json().await.unwrap();
        let call = http
            .post(format!("{url}/api/v1/passwordless/email/send"))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .json(&json!({ "email": to }));
        assert_eq!(call.send().await.unwrap().status(), 200);
    }

    /// What dkimpy finds out about each signature of a message.
    fn verified(&self, message: &str) -> Vec<String> {
        let records: BTreeMap<_, _> = self
            .records
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                (
                    row["name"].as_str().unwrap(),
                    row["record"].as_str().unwrap(),
                )
            })
            .collect();
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/verify_dkim.py");
        let mut python = Command::new("/usr/bin/python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let given = json!({ "message": message, "records": records }).to_string();
        let mut stdin = python.stdin.take().unwrap();
        stdin.write_all(given.as_bytes()).unwrap();
        drop(stdin);
        let output = python.wait_with_output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        told.lines().map(str::to_owned).collect()
    }
}

fn done(server: &Server, words: &[&str]) -> Vec<u8> {
    let output = server.admin(words);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words:?}: {said}");
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_mail_is_verified_by_other_software_behind_a_real_postfix_with_a_login() {
    let signing = Signing::new().await;
    for to in ["ada@example.com", "дарья@example.com"] {
        signing.send(to).await;
    }
    for arrived in signing.world.behind.wait_for(2).await {
        let message = String::from_utf8(arrived.data).unwrap();
        assert!(
            message.starts_with("Received: "),
            "it came by way of Postfix"
        );
        assert_eq!(
            signing.verified(&message),
            ["rsa-sha256 pass", "ed25519-sha256 pass"],
            "{message}"
        );
        for (from, to) in [
            ("\r\nTo: ", "\r\nFrom: eve@example.com\r\nTo: "),
            ("\r\nSubject: ", "\r\nSubject: Win "),
            ("\r\nReply-To: ", "\r\nReply-To: eve@example.com, "),
            ("\r\n\r\n--", "\r\n\r\nLook at http://evil.example\r\n--"),
        ] {
            let forged = if message.contains(from) {
                message.replacen(from, to, 1)
            } else {
                message.replacen("\r\nTo: ", "\r\nReply-To: eve@example.com\r\nTo: ", 1)
            };
            let told = signing.verified(&forged);
            let failed = told.len() == 2 && told.iter().all(|one| one.contains(" fail"));
            assert!(failed, "{to:?}: {told:?}");
        }
    }
    let log = signing.world.postfix.log();
    let (name, _) = Postfix::ACCOUNT;
    assert!(log.contains(&format!("sasl_username={name}")), "{log}");

    let stranger = [
        "mail",
        "provider",
        "test",
        "stranger",
        "--to",
        "ada@example.com",
    ];
    let refused = signing.server.admin(&stranger);
    assert!(
        !refused.status.success(),
        "without a login nothing goes through"
    );
}
