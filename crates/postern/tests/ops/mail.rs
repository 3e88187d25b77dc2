//! Mail providers beside a running server.

use postern_testkit::process::Server;
use postern_testkit::smtp::{Act, SmtpServer, Step};
use serde_json::Value;

use crate::{Application, eventually, parsed, plan, stderr};

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
    let kept = kept["messages"]
        .as_array()
        .or(kept.as_array())
        .expect("a list")
        .clone();
    assert_eq!(kept.len(), 1, "a repeat is no second copy: {kept:?}");
    assert_eq!(kept[0]["from"], "Shop <login@example.com>");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_mail_goes_through_the_provider_that_is_named() {
    let server = plan().start();
    let (first, second) = (
        SmtpServer::builder().start().await.unwrap(),
        SmtpServer::builder().start().await.unwrap(),
    );
    add(&server, "first", &first);
    add(&server, "second", &second);
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
}

#[tokio::test]
async fn mail_goes_out_through_the_next_provider_when_the_first_is_gone() {
    let server = plan().start();
    let (first, second) = (
        SmtpServer::builder().start().await.unwrap(),
        SmtpServer::builder().start().await.unwrap(),
    );
    add(&server, "first", &first);
    add(&server, "second", &second);
    drop(first);
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    eventually("the second provider has it", async || second.count() == 1).await;
}
