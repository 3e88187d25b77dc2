//! At the chattiest log level, nothing that the server prints tells a secret or an address, and
//! its database holds no secret in the clear.

use std::fs;
use std::path::Path;
use std::time::Duration;

use postern_client::{Client, SendRequest, Template, VerifyRequest};
use postern_testkit::process::{Plan, Server};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::caller::{Caller, text};

/// What must not be found, each with the name under which a failure reports it.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    /// Adds one, long enough that no chance finds it.
    pub(crate) fn add(&mut self, name: &'static str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(
            secret.len() >= 8,
            "{name} is too short to be looked for: {secret}"
        );
        self.0.push((name, secret));
    }

    /// The names of those that `text` holds, in any case of letters.
    pub(crate) fn found_in(&self, text: &str) -> Vec<&'static str> {
        let text = text.to_lowercase();
        let found = self
            .0
            .iter()
            .filter(|(_, secret)| text.contains(&secret.to_lowercase()));
        found.map(|(name, _)| *name).collect()
    }
}

#[tokio::test]
async fn pretty_logs_at_trace_level_hold_no_secret_and_no_address() {
    scan("pretty").await;
}

#[tokio::test]
async fn json_logs_at_trace_level_hold_no_secret_and_no_address() {
    scan("json").await;
}

async fn scan(format: &str) {
    let plan = Plan::new(env!("CARGO_BIN_EXE_postern"))
        .set("settings.passwordless_type", "LINK_OTP")
        // Long codes, so that none is found in a timestamp by chance.
        .set("settings.code_length", "10")
        .set("log.filter", "trace")
        .set("log.format", format);
    let mut server = plan.start();
    let mut secrets = Secrets::default();
    over_rest(&server, &mut secrets).await;
    over_grpc(&server, &mut secrets).await;
    by_strangers(&server, &mut secrets).await;
    by_admins(&server, &mut secrets);
    assert!(server.stop().success());
    judge(&server, secrets);
}

/// Nothing at all on standard error and in files; on standard output only what `dev` hands out.
fn judge(server: &Server, mut secrets: Secrets) {
    let stderr = server.stderr();
    assert!(
        stderr.contains("stopped"),
        "standard error holds the log: {stderr}"
    );
    assert_eq!(
        secrets.found_in(&server.stdout()),
        [""; 0],
        "on standard output"
    );
    secrets.add("client secret", server.credentials().client_secret.clone());
    let found = secrets.found_in(&stderr);
    assert_eq!(
        found,
        [""; 0],
        "on standard error:\n{}",
        lines_with(&secrets, &stderr)
    );
    judge_database(&server.data(), &secrets);
}

/// Whoever steals the database reads addresses, and opens nothing.
fn judge_database(data: &Path, secrets: &Secrets) {
    let files = ["postern.db", "postern.db-wal", "postern.db-shm"].map(|name| data.join(name));
    let there = files.iter().filter_map(|path| fs::read(path).ok());
    let stolen = there.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let stolen = stolen.collect::<String>();
    assert!(stolen.len() > 4096, "the database was read");
    let found = secrets.found_in(&stolen);
    let opened = found
        .into_iter()
        .filter(|name| !name.contains("address of a person"));
    assert_eq!(opened.collect::<Vec<_>>(), [""; 0], "in the database");
}

fn lines_with(secrets: &Secrets, text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !secrets.found_in(line).is_empty());
    lines.take(5).collect::<Vec<_>>().join("\n")
}

/// The three calls and their refusals through REST.
async fn over_rest(server: &Server, secrets: &mut Secrets) {
    let caller = Caller::new(server.credentials()).await;
    secrets.add("bearer token", caller.token());
    let to = "Grace.Hopper.1906@navy.example.com";
    secrets.add("address of a person over REST", "grace.hopper.1906");
    let (id, mails) = mailed_twice(&caller, to, secrets).await;
    let [first, second] = &mails;
    secrets.add("wrong code", "9071625348");
    secrets.add("forged link token", "forged_link_token_4411_l");
    for code in ["9071625348".to_owned(), text(first, "otp")] {
        assert_eq!(caller.verify(&id, &code).await.unwrap().0, 400);
    }
    let forged = json!({ "link_token": "forged_link_token_4411_l" });
    assert_eq!(caller.post("verify", &forged).await.unwrap().0, 400);
    assert_eq!(caller.resend(&id).await.unwrap().0, 429);
    let right = json!({ "link_token": text(second, "link_token") });
    assert_eq!(caller.post("verify", &right).await.unwrap().0, 200);
    assert_eq!(
        caller.verify(&id, &text(second, "otp")).await.unwrap().0,
        400
    );
}

/// One send and one resend; everything that went in and came out is a secret.
async fn mailed_twice(caller: &Caller, to: &str, secrets: &mut Secrets) -> (String, [Value; 2]) {
    let body = json!({
        "email": to,
        "magiclink_auth_uri": "https://app.example.com/the-callers-path-55ab",
        "state": "state-of-the-caller-7c1f",
        "template_variables": { "first_name": "variable-of-the-caller-91e0" },
    });
    secrets.add("state", "state-of-the-caller-7c1f");
    secrets.add("template variable", "variable-of-the-caller-91e0");
    secrets.add("link address", "the-callers-path-55ab");
    let (status, sent) = caller.post("send", &body).await.unwrap();
    assert_eq!(status, 200, "{sent}");
    let id = text(&sent, "auth_request_id");
    secrets.add("auth_request_id", id.clone());
    let first = caller.mails(to, None).await.unwrap().remove(0);
    assert_eq!(caller.resend(&id).await.unwrap().0, 200);
    let after = text(&first, "id");
    let second = caller.mails(to, Some(&after)).await.unwrap().remove(0);
    for mail in [&first, &second] {
        secrets.add("code", text(mail, "otp"));
        secrets.add("link token", text(mail, "link_token"));
    }
    (id, [first, second])
}

/// The same through gRPC.
async fn over_grpc(server: &Server, secrets: &mut Secrets) {
    let given = server.credentials();
    let client = Client::new(&given.url, &given.client_id, &given.client_secret).unwrap();
    let caller = Caller::new(given).await;
    let to = "katherine.johnson.1918@nasa.example.com";
    secrets.add("address of a person over gRPC", to);
    let request = SendRequest::new(to)
        .template(Template::SignUp)
        .magiclink_auth_uri("https://app.example.com/verify")
        .state("state-over-grpc-22d4")
        .expires_in(Duration::from_mins(10));
    secrets.add("state over gRPC", "state-over-grpc-22d4");
    let passwordless = client.passwordless();
    let sent = passwordless.send(request).await.unwrap();
    secrets.add("auth_request_id over gRPC", sent.auth_request_id.clone());
    let mail = caller.mails(to, None).await.unwrap().remove(0);
    secrets.add("code over gRPC", text(&mail, "otp"));
    secrets.add("link token over gRPC", text(&mail, "link_token"));
    let wrong = VerifyRequest::code(&sent.auth_request_id, "8162534790");
    secrets.add("wrong code over gRPC", "8162534790");
    passwordless.verify(wrong).await.unwrap_err();
    let right = VerifyRequest::code(&sent.auth_request_id, text(&mail, "otp"));
    passwordless.verify(right).await.unwrap();
    passwordless
        .resend(&sent.auth_request_id)
        .await
        .unwrap_err();
}

/// Callers who get it wrong: bad secrets, bad tokens, bodies that are no JSON, secrets in a query.
async fn by_strangers(server: &Server, secrets: &mut Secrets) {
    let caller = Caller::new(server.credentials()).await;
    by_a_wrong_secret(&caller, &server.credentials().client_id, secrets).await;
    secrets.add("wrong bearer token", "not-the-token-bb42");
    let stranger = |send: RequestBuilder| send.bearer_auth("not-the-token-bb42").body("{}");
    assert_eq!(
        caller.raw("api/v1/passwordless/email/send", stranger).await,
        401
    );
    secrets.add("body that is no JSON", "not-the-json-cc53");
    let garbage = |send: RequestBuilder| {
        let send = send
            .bearer_auth(caller.token())
            .header("content-type", "application/json");
        send.body("{ not-the-json-cc53")
    };
    assert_eq!(
        caller.raw("api/v1/passwordless/email/send", garbage).await,
        400
    );
    secrets.add("secret in a query", "not-for-the-query-dd64");
    assert_eq!(
        caller
            .raw("nowhere?token=not-for-the-query-dd64", |post| post)
            .await,
        404
    );
}

/// A wrong client secret, in the body and in a Basic header.
async fn by_a_wrong_secret(caller: &Caller, id: &str, secrets: &mut Secrets) {
    secrets.add("wrong client secret", "not-the-secret-aa31");
    let in_body = |token: RequestBuilder| {
        let secret = ("client_secret", "not-the-secret-aa31");
        token.form(&[
            ("grant_type", "client_credentials"),
            ("client_id", id),
            secret,
        ])
    };
    assert_eq!(caller.raw("oauth/token", in_body).await, 401);
    let in_header = |token: RequestBuilder| {
        let token = token.basic_auth(id, Some("not-the-secret-aa31"));
        token.form(&[("grant_type", "client_credentials")])
    };
    assert_eq!(caller.raw("oauth/token", in_header).await, 401);
}

/// Commands beside the running server, and what they hand out once.
fn by_admins(server: &Server, secrets: &mut Secrets) {
    let created = server.admin(&["--json", "client", "create", "scanned"]);
    assert!(created.status.success(), "{created:?}");
    let created: Value = serde_json::from_slice(&created.stdout).unwrap();
    secrets.add("created client's secret", text(&created, "secret"));
    let forgotten = server.admin(&["address", "forget", "dorothy.vaughan.1910@nasa.example.com"]);
    assert!(forgotten.status.success(), "{forgotten:?}");
    secrets.add("address of a person to forget", "dorothy.vaughan.1910");
}
