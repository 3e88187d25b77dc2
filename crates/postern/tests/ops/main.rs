//! The real binary as an operator meets it: `dev`, `serve` and the commands beside them.

mod admin;
mod backup;
mod container;
mod dev;
mod doctor;
mod machines;
mod mail;
mod metrics;
mod packaging;
mod restoring;
mod roots;
mod serve;
mod template;
mod tls;

use std::future::Future;
use std::process::{Command, Output};
use std::time::Duration;

use postern_testkit::process::{Credentials, Plan};
use serde_json::{Value, json};

const POSTERN: &str = env!("CARGO_BIN_EXE_postern");

/// A plan for the binary under test.
fn plan() -> Plan {
    Plan::new(POSTERN)
}

/// Runs the binary under test with nothing of our environment that it would take for configuration.
fn postern(arguments: &[&str]) -> Output {
    let mut command = Command::new(POSTERN);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("POSTERN_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).output().expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn parsed(output: &Output) -> Value {
    assert!(output.status.success(), "{}", stderr(output));
    serde_json::from_slice(&output.stdout).expect("--json answers JSON")
}

/// Asks `look` until it is true; what is promised within 2 s is given some more on a busy machine.
async fn eventually<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let looking = async {
        while !look().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(Duration::from_mins(1), looking)
            .await
            .is_ok(),
        "never came: {what}"
    );
}

/// An application's calls over REST.
struct Application {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Application {
    /// Fetches a token; `None` when the credentials are refused.
    async fn sign_on(url: &str, id: &str, secret: &str) -> Option<Self> {
        let http = reqwest::Client::new();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = http
            .post(format!("{url}/oauth/token"))
            .form(&form)
            .send()
            .await
            .expect("the server answers");
        let body: Value = answer.json().await.expect("a token answer is JSON");
        let token = body["access_token"].as_str()?.to_owned();
        Some(Self {
            http,
            url: url.to_owned(),
            token,
        })
    }

    async fn of(credentials: &Credentials) -> Self {
        let signed = Self::sign_on(
            &credentials.url,
            &credentials.client_id,
            &credentials.client_secret,
        )
        .await;
        signed.expect("the development client is good")
    }

    /// Calls `POST /api/v1/passwordless/email/{verb}`.
    async fn call(&self, verb: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api/v1/passwordless/email/{verb}", self.url);
        let call = self.http.post(url).bearer_auth(&self.token).json(&body);
        let answer = call.send().await.expect("the server answers");
        (
            answer.status().as_u16(),
            answer.json().await.expect("an answer is JSON"),
        )
    }

    async fn send(&self, email: &str) -> (u16, Value) {
        self.call("send", json!({ "email": email })).await
    }
}
