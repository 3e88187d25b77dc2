//! What is changed on one node of a PostgreSQL is in force on the other: within 2 s, and a busy machine is
//! given more.

use std::process::{Command, Output};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use postern_testkit::process::{Credentials, Server};
use postern_testkit::smtp::SmtpServer;
use serde_json::Value;

use crate::caller::{Caller, text};
use crate::nodes::Nodes;

fn done(output: &Output) {
    assert!(output.status.success(), "{output:?}");
}

/// Asks until the answer is yes. Every look is at another person, for whom no quota is spent.
async fn until(what: &str, mut look: impl AsyncFnMut(&str) -> bool) {
    for number in 0..300 {
        if look(&format!("p{number}@example.com")).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never in force on the other node: {what}");
}

/// The mail that a node sends to this person.
async fn mail(node: &Caller, to: &str) -> Value {
    assert_eq!(node.send(to).await.unwrap().0, 200);
    node.mails(to, None).await.unwrap()[0].clone()
}

async fn published(node: &Server) -> Vec<String> {
    let url = format!("{}/keys", node.credentials().url);
    let keys: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| text(key, "kid")).collect()
}

/// The status of asking a node for a token with the id and the secret that a command printed as JSON.
async fn signs_on(node: &Server, printed: &Output) -> u16 {
    let client: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let form = [
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", text(&client, "id")),
        ("client_secret", text(&client, "secret")),
    ];
    let url = format!("{}/oauth/token", node.credentials().url);
    let asked = reqwest::Client::new().post(url).form(&form).send();
    asked.await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_made_rotated_or_revoked_on_one_node_is_so_at_the_token_endpoint_of_the_other() {
    let nodes = Nodes::start(&[]).await;
    let [a, b] = &nodes.servers;
    let made = a.admin(&["client", "create", "shop", "--json"]);
    done(&made);
    until("the client", async |_| signs_on(b, &made).await == 200).await;
    let client: Value = serde_json::from_slice(&made.stdout).unwrap();
    let id = text(&client, "id");
    let rotated = a.admin(&["client", "rotate", &id, "--overlap", "0s", "--json"]);
    done(&rotated);
    until("the new secret", async |_| {
        signs_on(b, &rotated).await == 200
    })
    .await;
    // They came in one commit.
    assert_eq!(signs_on(b, &made).await, 401, "the old secret is over");
    done(&a.admin(&["client", "revoke", &id]));
    until("the end", async |_| signs_on(b, &rotated).await == 401).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_of_one_node_is_what_the_other_mails_by() {
    let nodes = Nodes::start(&[]).await;
    let before = mail(&nodes.callers[1], "before@example.com").await;
    assert_eq!(text(&before, "otp").len(), 6);
    done(&nodes.servers[0].admin(&["settings", "set", "code_length=9"]));
    let nine = async |to: &str| text(&mail(&nodes.callers[1], to).await, "otp").len() == 9;
    until("the code length", nine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_set_or_reverted_on_one_node_is_what_the_other_mails() {
    let nodes = Nodes::start(&[]).await;
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let html = file("a.html", "<p>Hier ist {{ otp }}</p>");
    let plain = file(
        "a.txt",
        "Hier ist {{ otp }}\n\n@{{ code_domain }} #{{ otp }}\n",
    );
    let set = [
        "template",
        "set",
        "signin_otp",
        "--subject",
        "Hier ist {{ otp }}",
    ];
    let set = [&set[..], &["--html", &html, "--text", &plain]].concat();
    done(&nodes.servers[0].admin(&set));
    let ours = async |to: &str| {
        let subject = text(&mail(&nodes.callers[1], to).await, "subject");
        subject.starts_with("Hier ist ")
    };
    until("the template", ours).await;
    done(&nodes.servers[0].admin(&["template", "revert", "signin_otp"]));
    let built_in = async |to: &str| !ours(&format!("again-{to}")).await;
    until("the built-in template", built_in).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signing_key_rotated_on_one_node_signs_on_the_other_and_one_that_is_dropped_ends() {
    let nodes = Nodes::start(&[]).await;
    let [a, b] = &nodes.servers;
    let before = published(b).await;
    done(&a.admin(&["keys", "signing", "rotate"]));
    until("the new standby", async |_| published(b).await.len() == 3).await;
    let credentials = Credentials {
        url: b.credentials().url.clone(),
        ..a.credentials().clone()
    };
    let signed_by = async || {
        let caller = Caller::new(&credentials).await;
        let head = caller.token().split('.').next().unwrap().to_owned();
        let head = BASE64_URL_SAFE_NO_PAD.decode(head).unwrap();
        text(&serde_json::from_slice(&head).unwrap(), "kid")
    };
    let promoted = async |_: &str| signed_by().await == before[1];
    until("a token signed by the standby", promoted).await;
    let old = &nodes.callers[1];
    assert_eq!(old.send("old@example.com").await.unwrap().0, 200);
    done(&a.admin(&["keys", "signing", "drop", &before[0]]));
    let ended = async |to: &str| old.send(to).await.unwrap().0 == 401;
    until("the end of the dropped key", ended).await;
    assert!(!published(b).await.contains(&before[0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_key_promoted_in_the_keyring_is_what_the_other_node_issues_under() {
    let nodes = Nodes::start(&[]).await;
    let [a, b] = &nodes.callers;
    let before = text(
        &a.send("before@example.com").await.unwrap().1,
        "auth_request_id",
    );
    let code = text(
        &a.mails("before@example.com", None).await.unwrap()[0],
        "otp",
    );
    // The keyring of these nodes is one file; the operator of real ones copies it.
    let keyring = nodes.keyring();
    let config = keyring.with_file_name("postern.toml");
    let written = format!(
        "[data]\ndir = {:?}\nroot_keys_file = {keyring:?}\n",
        nodes.servers[0].data()
    );
    std::fs::write(&config, written).unwrap();
    for step in [&["add"][..], &["promote", "2"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args(["keys", "root"])
            .args(step)
            .arg("--config")
            .arg(&config);
        done(&command.output().unwrap());
    }
    let under_the_new = async |to: &str| {
        let id = text(&b.send(to).await.unwrap().1, "auth_request_id");
        BASE64_URL_SAFE_NO_PAD.decode(id).unwrap()[0] == 2
    };
    until("the new root key", under_the_new).await;
    assert_eq!(
        b.verify(&before, &code).await.unwrap().0,
        200,
        "the old one is accepted"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_and_a_dkim_key_of_one_node_are_what_the_other_mails_by() {
    let nodes = Nodes::start(&[]).await;
    let smtp = SmtpServer::builder().start().await.unwrap();
    let port = smtp.addr().port().to_string();
    let add = [
        "mail",
        "provider",
        "add",
        "main",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
    ];
    let add = [&add[..], &["--tls", "none", "--from", "login@example.com"]].concat();
    done(&nodes.servers[0].admin(&add));
    let by_the_provider = async |to: &str| {
        mail(&nodes.callers[1], to).await;
        !smtp.received().is_empty()
    };
    until("the provider", by_the_provider).await;
    done(&nodes.servers[0].admin(&["mail", "dkim", "create", "example.com"]));
    let signed = async |to: &str| {
        let to = format!("signed-{to}");
        mail(&nodes.callers[1], &to).await;
        let received = smtp.wait_for_mail_to(&to).await.data;
        String::from_utf8_lossy(&received).contains("DKIM-Signature:")
    };
    until("the DKIM key", signed).await;
}
