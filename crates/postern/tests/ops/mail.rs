//! Mail providers beside a running server.

use postern_testkit::process::Server;
use postern_testkit::smtp::{Act, SmtpServer, Step};
use postern_testkit::tokens::TokenServer;
use serde_json::Value;

use crate::{Application, eventually, parsed, plan, postern, stderr};

/// Adds the scripted server as a provider.
fn add(server: &Server, name: &str, smtp: &SmtpServer) {
    let port = smtp.addr().port().to_string();
    let added = server.admin(&[
        "mail",
        "provider",
        "add",
        name,
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--tls",
        "none",
        "--from",
        "Shop <login@example.com>",
        "--reply-to",
        "help@example.com",
    ]);
    assert!(added.status.success(), "{}", stderr(&added));
    let told = crate::stdout(&added);
    assert!(told.contains("go out to people too"), "{told}");
}

/// Two providers, tried in this order.
async fn two_providers(server: &Server) -> (SmtpServer, SmtpServer) {
    let first = SmtpServer::builder().start().await.expect("it starts");
    let second = SmtpServer::builder().start().await.expect("it starts");
    add(server, "first", &first);
    add(server, "second", &second);
    (first, second)
}

async fn inbox(server: &Server, to: &str) -> Value {
    let url = &server.credentials().url;
    let url = format!("{url}/dev/inbox/messages?to={to}&wait=10");
    let answer = reqwest::get(url).await.expect("the inbox answers");
    answer.json().await.expect("the inbox answers JSON")
}

#[tokio::test]
async fn development_keeps_a_copy_of_what_goes_out_through_a_provider() {
    let (server, smtp) = (plan().start(), SmtpServer::builder().start().await.unwrap());
    add(&server, "main", &smtp);
    smtp.once(Step::Rcpt, Act::reply(451));
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    let mails = smtp.wait_for(1).await;
    let sent = String::from_utf8_lossy(&mails[0].data).into_owned();
    assert!(sent.contains("Reply-To: help@example.com\r\n"), "{sent}");
    let kept = inbox(&server, "ada@example.com").await;
    let kept = kept.as_array().expect("a list");
    assert_eq!(kept.len(), 1, "a repeat is no second copy: {kept:?}");
    assert_eq!(kept[0]["from"], "Shop <login@example.com>");
    let page = reqwest::get(format!("{}/dev/inbox", server.credentials().url)).await;
    let page = page.expect("it answers").text().await.expect("a page");
    assert!(!page.contains("instead of sending"), "{page}");
    assert!(page.contains("they go out to people too"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_mail_goes_through_the_provider_that_is_named() {
    let server = plan().start();
    let (first, second) = two_providers(&server).await;
    let told = server.admin(&[
        "mail",
        "provider",
        "test",
        "second",
        "--to",
        "ada@example.com",
        "--json",
    ]);
    assert!(
        parsed(&told)["reply"]
            .as_str()
            .is_some_and(|reply| reply.contains("250"))
    );
    assert_eq!((first.count(), second.count()), (0, 1));
    let mail = String::from_utf8_lossy(&second.wait_for(1).await[0].data).into_owned();
    let id = mail.lines().find(|line| line.starts_with("Message-ID: "));
    assert!(id.is_some_and(|id| id.ends_with("@example.com>")), "{mail}");
}

#[tokio::test]
async fn mail_goes_out_through_the_next_provider_when_the_first_is_gone() {
    let server = plan().start();
    let (first, second) = two_providers(&server).await;
    drop(first);
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    eventually("the second provider has it", async || second.count() == 1).await;
}

#[tokio::test]
async fn a_request_of_a_test_identity_is_told_to_have_no_mail_and_why() {
    let server = plan().start();
    let listed = server.admin(&[
        "settings",
        "set",
        "test_addresses=review+sktest@example.com",
        "test_code=424242",
    ]);
    assert!(listed.status.success(), "{}", stderr(&listed));
    let application = Application::of(server.credentials()).await;
    let (_, sent) = application.send("review+sktest@example.com").await;
    let id = sent["auth_request_id"].as_str().expect("an id");
    let told = server.admin(&["delivery", "show", id]);
    assert_eq!(told.status.code(), Some(1));
    let told = stderr(&told);
    assert!(told.contains("this request has no mail"), "{told}");
    assert!(told.contains("test identity"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_try_at_a_mail_is_shown_with_its_provider_and_what_that_said() {
    let server = plan().start();
    let (first, second) = two_providers(&server).await;
    first.always(
        Step::Mail,
        Act::Reply(550, "5.7.1 account suspended".to_owned()),
    );
    let application = Application::of(server.credentials()).await;
    let (_, sent) = application.send("ada@example.com").await;
    second.wait_for(1).await;
    let id = sent["auth_request_id"].as_str().expect("an id").to_owned();
    eventually("the mail is settled", async || {
        let listed =
            parsed(&server.admin(&["delivery", "list", "--to", "ADA@example.com", "--json"]));
        listed[0]["state"] == "sent"
    })
    .await;
    let shown = parsed(&server.admin(&["delivery", "show", &id, "--json"]));
    assert_eq!(
        (&shown[0]["attempts"], &shown[0]["provider"]),
        (&Value::from(2), &Value::from("second")),
        "{shown}"
    );
    let told: Vec<_> = shown[0]["timeline"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (
                one["what"].as_str().unwrap_or(""),
                one["reply"].as_str().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(told[0].0, "mail_queued", "{shown}");
    assert_eq!(
        told[1],
        ("mail_deferred", "mail: 550 5.7.1 account suspended")
    );
    assert_eq!(told[2].0, "mail_sent");
    let text = server.admin(&["delivery", "show", shown[0]["id"].as_str().expect("an id")]);
    assert!(
        crate::stdout(&text).contains("second"),
        "{}",
        crate::stdout(&text)
    );
}

#[test]
fn what_a_provider_lacks_is_said_with_its_preset() {
    let add = "mail provider add main --from login@example.com";
    let refused = |more: &str| {
        let words = format!("{add}{more}");
        let told = postern(&words.split(' ').collect::<Vec<_>>());
        assert_eq!(told.status.code(), Some(2), "as every wrong argument");
        stderr(&told)
    };
    let bare = refused("");
    assert!(
        bare.contains("--preset (sendgrid, ses,") && bare.contains("--host, --port and --tls"),
        "{bare}"
    );
    let tenantless = refused(" --preset microsoft365 --client-id a --client-secret-file b");
    assert!(tenantless.contains("needs --tenant"), "{tenantless}");
}

#[test]
fn mails_are_listed_by_a_state_that_there_is() {
    let server = plan().start();
    let none = server.admin(&["delivery", "list", "--state", "bounced", "--json"]);
    assert_eq!(parsed(&none), Value::Array(Vec::new()));
    let wrong = server.admin(&["delivery", "list", "--state", "lost"]);
    assert_eq!(wrong.status.code(), Some(2), "as every wrong argument");
    assert!(
        stderr(&wrong).contains("queued, sent"),
        "{}",
        stderr(&wrong)
    );
    let nothing = server.admin(&["delivery", "show", "nonsense"]);
    assert_eq!(nothing.status.code(), Some(1));
    let told = stderr(&nothing);
    assert!(
        told.contains("is called \"nonsense\": write req_…"),
        "{told}"
    );
}

#[tokio::test]
async fn postmark_behind_another_host_gets_the_header_that_its_callbacks_give_back() {
    let server = plan().start();
    let token = "11111111-2222-3333-4444-555555555555";
    let smtp = SmtpServer::builder().account(token, token).start().await;
    let smtp = smtp.expect("it starts");
    let file = server.data().join("token");
    std::fs::write(&file, token).expect("it can be written");
    let words = format!(
        "mail provider add main --preset postmark --host 127.0.0.1 --port {} --tls none --rate 30/min \
         --from login@example.com --password-file {}",
        smtp.addr().port(),
        file.display()
    );
    let added = server.admin(&words.split(' ').collect::<Vec<_>>());
    assert!(added.status.success(), "{}", stderr(&added));
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    let mail = String::from_utf8_lossy(&smtp.wait_for(1).await[0].data).into_owned();
    assert!(
        mail.contains("X-PM-Metadata-postern-delivery: req_"),
        "{mail}"
    );
    let listed = crate::stdout(&server.admin(&["mail", "provider", "list"]));
    assert!(
        listed.contains("  postmark  127.0.0.1:") && listed.contains("  30/min"),
        "{listed}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_are_signed_by_every_key_of_their_domain_from_the_moment_it_is_made() {
    let server = plan().start();
    let smtp = SmtpServer::builder().start().await.expect("it starts");
    add(&server, "main", &smtp);
    let application = Application::of(server.credentials()).await;
    let signatures = async |to: &str, count| {
        assert_eq!(application.send(to).await.0, 200);
        let mails = smtp.wait_for(count).await;
        let data = mails.last().expect("it waited for them").data.clone();
        let text = String::from_utf8(data).expect("a mail is ASCII");
        let selector = |line: &str| Some(line.strip_prefix(" s=")?.split(';').next()?.to_owned());
        text.lines().filter_map(selector).collect::<Vec<_>>()
    };
    assert_eq!(signatures("a@example.com", 1).await, Vec::<String>::new());

    let made = parsed(&server.admin(&["mail", "dkim", "create", "EXAMPLE.com", "--json"]));
    assert_eq!(made[0]["name"], "postern._domainkey.example.com");
    assert_eq!(made[1]["algorithm"], "ed25519");
    assert_eq!(
        signatures("b@example.com", 2).await,
        ["postern", "postern-ed25519"]
    );
    let shown = server.admin(&["mail", "dkim", "show", "example.com"]);
    let zone = made[0]["zone_line"].as_str().expect("a line");
    assert!(
        crate::stdout(&shown).contains(zone),
        "{}",
        crate::stdout(&shown)
    );

    let twice = server.admin(&["mail", "dkim", "create", "example.com"]);
    assert!(stderr(&twice).contains("already"), "{}", stderr(&twice));
    let removed = server.admin(&["mail", "dkim", "remove", "example.com", "postern"]);
    assert!(removed.status.success(), "{}", stderr(&removed));
    assert_eq!(signatures("c@example.com", 3).await, ["postern-ed25519"]);
    let gone = server.admin(&[
        "mail",
        "dkim",
        "show",
        "example.com",
        "--selector",
        "postern",
    ]);
    assert!(
        stderr(&gone).contains("no such DKIM key"),
        "{}",
        stderr(&gone)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_logged_in_to_by_tokens_of_any_endpoint_and_the_log_tells_none() {
    let server = plan().set("log.filter", "trace").start();
    let tokens = TokenServer::start().await.expect("it starts");
    let smtp = SmtpServer::builder().token_user("mailer").start().await;
    let smtp = smtp.expect("it starts");
    let secret = server.data().join("client.secret");
    std::fs::write(&secret, "the-client-secret-77\n").expect("it can be written");
    let words = format!(
        "mail provider add main --host 127.0.0.1 --port {} --tls none --from login@example.com --username mailer \
         --token-url {} --client-id app-1 --scope mail.send --client-secret-file",
        smtp.addr().port(),
        tokens.url()
    );
    let mut words: Vec<&str> = words.split(' ').collect();
    words.push(secret.to_str().expect("a path in UTF-8"));
    let added = server.admin(&words);
    assert!(added.status.success(), "{}", stderr(&added));

    let listed = parsed(&server.admin(&["mail", "provider", "list", "--json"]));
    assert_eq!(listed[0]["login"], "xoauth2", "{listed}");
    tokens.answer(401, r#"{"error":"invalid_client"}"#);
    tokens.grant("the-first-token-0a1b", 3600);
    let test: Vec<&str> = "mail provider test main --to ada@example.com"
        .split(' ')
        .collect();
    let unknown = stderr(&server.admin(&test));
    assert!(
        unknown.contains("for want of an access token: auth: token endpoint: 401")
            && unknown.contains("--client-secret-file"),
        "{unknown}"
    );
    smtp.accept_token("another-token-2c3d");
    let refused = server.admin(&test);
    assert!(
        stderr(&refused).contains("auth: 535"),
        "{}",
        stderr(&refused)
    );
    smtp.accept_token("the-first-token-0a1b");
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    let mails = smtp.wait_for(1).await;
    assert_eq!(mails[0].login.as_deref(), Some("mailer"));
    let asked = tokens.asked().pop().expect("it was asked");
    assert!(asked.contains("client_id=app-1&client_secret=the-client-secret-77&scope=mail.send"));

    let told = server.stderr() + &stderr(&refused);
    for secret in ["the-client-secret-77", "the-first-token-0a1b"] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}
