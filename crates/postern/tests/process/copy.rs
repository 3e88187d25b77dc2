//! `postern store copy` beside running servers: codes that are out work on the other engine.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use postern_testkit::postgres::Postgres;
use postern_testkit::process::{Credentials, Plan};
use serde_json::Value;

use crate::caller::{Caller, error_code, text};

const POSTERN: &str = env!("CARGO_BIN_EXE_postern");

fn postern(arguments: &[&str]) -> Output {
    Command::new(POSTERN).args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_moves_to_postgresql_with_its_codes_quotas_and_clients() {
    let mut source = Plan::new(POSTERN).start();
    let caller = Caller::new(source.credentials()).await;
    let sent = caller.send("ada@example.com").await.unwrap().1;
    let id = text(&sent, "auth_request_id");
    let code = text(
        &caller.mails("ada@example.com", None).await.unwrap()[0],
        "otp",
    );
    for _ in 0..2 {
        assert_eq!(caller.send("busy@example.com").await.unwrap().0, 200);
    }
    let data = source.data().display().to_string();
    let url = Postgres::shared().database();
    killed_at_its_first_table(&data, &url);

    let copied = postern(&["store", "copy", "--from", &data, "--to", &url, "--json"]);
    assert!(copied.status.success(), "{}", told(&copied));
    let copied: Value = serde_json::from_slice(&copied.stdout).unwrap();
    let requests = copied["tables"].as_array().unwrap().iter();
    let mut requests = requests.filter(|tally| tally["table"] == "auth_requests");
    assert_eq!(requests.next().unwrap()["rows"], 3);
    let fenced = caller.send("bob@example.com").await.unwrap();
    assert_eq!((fenced.0, error_code(&fenced)), (503, "UNAVAILABLE"));
    let fenced = caller.verify(&id, &code).await.unwrap();
    assert_eq!((fenced.0, error_code(&fenced)), (503, "UNAVAILABLE"));
    let credentials = source.credentials().clone();
    source.stop();
    let refused = postern(&["client", "list", "--data", &data]);
    assert!(
        told(&refused).contains("postern store lift"),
        "{}",
        told(&refused)
    );

    let keys = source.data().join("root.keys").display().to_string();
    let plan = Plan::new(POSTERN)
        .set("data.database_url", &url)
        .set("data.root_keys_file", &keys);
    let target = plan.start();
    let caller = Caller::new(&Credentials {
        url: target.credentials().url.clone(),
        ..credentials
    })
    .await;
    let (status, verified) = caller.verify(&id, &code).await.unwrap();
    assert_eq!(status, 200, "{verified}");
    let throttled = caller.send("busy@example.com").await.unwrap();
    assert_eq!(error_code(&throttled), "RATE_LIMITED");
    assert_eq!(caller.send("new@example.com").await.unwrap().0, 200);
}

/// A copy that dies leaves a target that nothing starts on, and goes on when it is asked for again.
fn killed_at_its_first_table(from: &str, to: &str) {
    let mut command = Command::new(POSTERN);
    command.args(["store", "copy", "--from", from, "--to", to, "--json"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("copying clients") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_recovery_of_the_database_what_was_open_can_be_ended() {
    let url = Postgres::shared().database();
    let plan = Plan::new(POSTERN).set("data.database_url", &url);
    let server = plan.start();
    let caller = Caller::new(server.credentials()).await;
    let sent = caller.send("ada@example.com").await.unwrap().1;
    let id = text(&sent, "auth_request_id");
    let code = text(
        &caller.mails("ada@example.com", None).await.unwrap()[0],
        "otp",
    );
    let ended = postern(&["store", "end-open", &url]);
    assert!(
        told(&ended).starts_with("ended: 1 auth requests"),
        "{}",
        told(&ended)
    );
    let refused = caller.verify(&id, &code).await.unwrap();
    assert_eq!(error_code(&refused), "AUTH_REQUEST_EXPIRED");
    assert_eq!(caller.resend(&id).await.unwrap().0, 400);
}
