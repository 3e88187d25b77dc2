//! `postern doctor` against a real DNS server and a scripted SMTP server, both on loopback.

use postern_testkit::dns::DnsServer;
use postern_testkit::process::Server;
use postern_testkit::smtp::{Act, Encryption, ServerIdentity, SmtpServer, Step};
use postern_testkit::tokens::TokenServer;
use serde_json::Value;

use crate::{plan, postern, stderr, stdout};

const HEALTHY: &str = "acme.example. MX 10 mail.acme.example.\n\
                       acme.example. TXT \"v=spf1 mx -all\"\n\
                       _dmarc.acme.example. TXT \"v=DMARC1; p=quarantine\"";

fn add(server: &Server, smtp: &SmtpServer, more: &[&str]) {
    let port = smtp.addr().port().to_string();
    let mut words = vec![
        "mail",
        "provider",
        "add",
        "main",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--from",
        "Acme <login@acme.example>",
    ];
    words.extend(more);
    let added = server.admin(&words);
    assert!(added.status.success(), "{}", stderr(&added));
}

/// What `doctor` found: the exit code, and the status of each check.
fn examined(output: &std::process::Output) -> (Option<i32>, Vec<(String, String)>) {
    let report: Value = serde_json::from_slice(&output.stdout).expect("--json answers JSON");
    let checks = report["checks"].as_array().expect("a list").iter();
    let text = |one: &Value, key: &str| one[key].as_str().expect("a text").to_owned();
    let found = checks.map(|one| (text(one, "check"), text(one, "status")));
    (output.status.code(), found.collect())
}

fn status<'a>(found: &'a [(String, String)], check: &str) -> &'a str {
    let one = found.iter().find(|(name, _)| name == check);
    &one.expect("the check is there").1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_healthy_server_passes_every_check_that_applies() {
    let (server, smtp) = (plan().start(), SmtpServer::builder().start().await.unwrap());
    let dns = DnsServer::start(HEALTHY).await.unwrap();
    add(&server, &smtp, &["--tls", "none"]);
    let set = server.admin(&["settings", "set", "app_domain=acme.example"]);
    assert!(set.status.success(), "{}", stderr(&set));
    let asked = ["doctor", "--json", "--dns", &dns.addr().to_string()];
    let (code, found) = examined(&server.admin(&asked));
    for check in [
        "store",
        "keys",
        "public url",
        "spf",
        "dmarc",
        "mx",
        "reach",
        "autofill",
    ] {
        assert_eq!(status(&found, check), "ok", "{check}: {found:?}");
    }
    for check in ["tls", "login"] {
        assert_eq!(status(&found, check), "skipped", "{check}: {found:?}");
    }
    assert_eq!((code, smtp.count()), (Some(0), 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_work_is_one_line_with_its_fix_and_an_exit_code_of_its_own() {
    let account = SmtpServer::builder().account("postern", "right");
    let (server, smtp) = (plan().start(), account.start().await.unwrap());
    let dns = DnsServer::start("").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "wrong-password").unwrap();
    let login = [
        "--tls",
        "none",
        "--username",
        "postern",
        "--password-file",
        password.to_str().unwrap(),
    ];
    add(&server, &smtp, &login);
    let told = server.admin(&["doctor", "--dns", &dns.addr().to_string()]);
    assert_eq!(told.status.code(), Some(6), "{}", stderr(&told));
    let lines = stdout(&told);
    let login = lines
        .lines()
        .find(|line| line.contains("  login  "))
        .expect("its line");
    assert!(
        login.starts_with("failed") && login.contains("Fix: "),
        "{login}"
    );
    assert!(
        login.contains("535") && !login.contains("wrong-password"),
        "{login}"
    );
    let mx = lines
        .lines()
        .find(|line| line.contains("  mx  "))
        .expect("its line");
    assert!(mx.starts_with("failed"), "{mx}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_without_a_server_and_warns_fail_only_when_asked_to() {
    let mut server = plan().start();
    let smtp = SmtpServer::builder().start().await.unwrap();
    let dns = DnsServer::start("acme.example. MX 10 mail.acme.example.")
        .await
        .unwrap();
    add(&server, &smtp, &["--tls", "none"]);
    server.kill();
    let (data, dns) = (server.data(), dns.addr().to_string());
    let asked = [
        "doctor",
        "--json",
        "--dns",
        &dns,
        "--data",
        data.to_str().unwrap(),
    ];
    let (code, found) = examined(&postern(&asked));
    assert_eq!((code, status(&found, "public url")), (Some(0), "skipped"));
    assert_eq!(status(&found, "spf"), "warning");
    let strict = postern(&[&asked[..], &["--strict"]].concat());
    assert_eq!(strict.status.code(), Some(6), "{}", stderr(&strict));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_cannot_be_trusted_or_reached_is_told_apart() {
    let encrypted = SmtpServer::builder().encryption(Encryption::Implicit);
    let (server, smtp) = (plan().start(), encrypted.start().await.unwrap());
    let dns = DnsServer::start(HEALTHY).await.unwrap().addr().to_string();
    let asked = ["doctor", "--json", "--dns", &dns];
    add(&server, &smtp, &["--tls", "implicit"]);
    let (code, found) = examined(&server.admin(&asked));
    assert_eq!(
        (code, status(&found, "reach")),
        (Some(6), "ok"),
        "{found:?}"
    );
    assert_eq!(
        (status(&found, "tls"), status(&found, "login")),
        ("failed", "skipped")
    );
    let lines = stdout(&server.admin(&["doctor", "--dns", &dns]));
    assert!(
        lines.contains("issuer is not trusted here") && lines.contains("SSL_CERT_FILE"),
        "{lines}"
    );
    let plain = SmtpServer::builder().start().await.unwrap();
    plain.always(Step::Banner, Act::reply(554));
    add(&server, &plain, &["--tls", "none"]);
    let (_, found) = examined(&server.admin(&asked));
    assert_eq!(status(&found, "reach"), "failed", "{found:?}");
    drop(plain);
    let (_, found) = examined(&server.admin(&asked));
    assert_eq!(status(&found, "reach"), "failed", "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_endpoint_that_refuses_the_client_is_told_as_that() {
    let tokens = TokenServer::start().await.unwrap();
    tokens.answer(401, r#"{"error":"invalid_client"}"#);
    let account = SmtpServer::builder().token_user("mailer");
    let (server, smtp) = (plan().start(), account.start().await.unwrap());
    let dns = DnsServer::start(HEALTHY).await.unwrap();
    let secret = server.data().join("client.secret");
    std::fs::write(&secret, "s3cr3t-9f81-kq7w").unwrap();
    let url = tokens.url();
    let login = [
        "--tls",
        "none",
        "--username",
        "mailer",
        "--token-url",
        &url,
        "--client-id",
        "app-1",
        "--client-secret-file",
        secret.to_str().unwrap(),
    ];
    add(&server, &smtp, &login);
    let told = stdout(&server.admin(&["doctor", "--dns", &dns.addr().to_string()]));
    let line = told.lines().find(|line| line.contains("  login  "));
    let line = line.expect("its line");
    assert!(line.contains("401 invalid_client"), "{line}");
    assert!(line.contains("--client-secret-file"), "{line}");
    assert!(!line.contains("--password-file"), "{line}");
}

#[test]
fn a_public_url_under_a_certificate_that_nobody_here_trusts_is_told_as_that() {
    let server = plan().tls().start();
    let another = ServerIdentity::make().unwrap();
    std::fs::write(server.data().join("ca.pem"), another.ca_pem).unwrap();
    let told = stdout(&server.admin(&["doctor"]));
    let line = told.lines().find(|line| line.contains("  public url  "));
    let line = line.expect("its line");
    assert!(line.starts_with("failed"), "{line}");
    assert!(line.contains("its certificate is not believed"), "{line}");
    assert!(line.contains("SSL_CERT_FILE"), "{line}");
    assert!(!line.contains("firewall"), "{line}");
}

#[test]
fn a_dns_server_that_is_no_address_is_refused() {
    let refused = postern(&["doctor", "--dns", "one.one.one.one"]);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
}

#[test]
fn development_without_a_provider_is_well() {
    let server = plan().start();
    let told = server.admin(&["doctor"]);
    assert_eq!(
        told.status.code(),
        Some(0),
        "{}{}",
        stdout(&told),
        stderr(&told)
    );
}
