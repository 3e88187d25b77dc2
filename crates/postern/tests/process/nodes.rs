//! Two nodes on one PostgreSQL: whatever one of them does, the other knows.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_testkit::pgbouncer::PgBouncer;
use postern_testkit::postgres::Postgres;
use postern_testkit::process::{Credentials, Plan, Server};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::caller::{Answer, Caller, error_code, text};

/// Two servers with one database, one keyring and one client.
pub(crate) struct Nodes {
    pub(crate) servers: [Server; 2],
    pub(crate) callers: [Arc<Caller>; 2],
    pub(crate) postgres: Arc<Postgres>,
    pub(crate) database: String,
    keys: TempDir,
}

impl Nodes {
    /// Starts them; `first` is set on the first one only.
    pub(crate) async fn start(first: &[(&str, &str)]) -> Self {
        Self::start_on(Postgres::shared().database(), first, &[]).await
    }

    /// Starts them on the database at `url`; `both` is set on both of them.
    async fn start_on(url: String, first: &[(&str, &str)], both: &[(&str, &str)]) -> Self {
        let postgres = Postgres::shared();
        let keys = tempfile::tempdir().expect("a folder for the keyring");
        let file = keys.path().join("root.keys").display().to_string();
        let plan = || {
            let plan = Plan::new(env!("CARGO_BIN_EXE_postern"))
                .set("data.database_url", &url)
                .set("data.root_keys_file", &file);
            let both = both.iter();
            both.fold(plan, |plan, (key, value)| plan.set(key, value))
        };
        let settings = first.iter();
        let a = settings
            .fold(plan(), |plan, (key, value)| plan.set(key, value))
            .start();
        let b = plan().start();
        let mut callers = Vec::new();
        for node in [&a, &b] {
            // The second one started after the first had made its client, and so knows it.
            let credentials = Credentials {
                url: node.credentials().url.clone(),
                ..a.credentials().clone()
            };
            callers.push(Arc::new(Caller::new(&credentials).await));
        }
        let name = url.trim_start_matches("postgres:///").split('?').next();
        Self {
            database: name.expect("a URL names its database").to_owned(),
            servers: [a, b],
            callers: callers.try_into().unwrap_or_else(|_| unreachable!("two")),
            postgres,
            keys,
        }
    }

    /// The keyring file of both.
    pub(crate) fn keyring(&self) -> PathBuf {
        self.keys.path().join("root.keys")
    }

    /// Calls `verb` with each body at once, on the two nodes in turn.
    async fn race(&self, verb: &'static str, bodies: Vec<serde_json::Value>) -> Vec<Answer> {
        let mut calls = JoinSet::new();
        for (n, body) in bodies.into_iter().enumerate() {
            let caller = Arc::clone(&self.callers[n % 2]);
            calls.spawn(async move { caller.post(verb, &body).await.expect("it answers") });
        }
        calls.join_all().await
    }
}

fn counted(answers: &[Answer]) -> HashMap<&str, usize> {
    let mut counted = HashMap::new();
    for answer in answers {
        *counted.entry(error_code(answer)).or_default() += 1;
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_that_one_node_mailed_is_accepted_once_by_any() {
    let nodes = Nodes::start(&[]).await;
    let [a, b] = &nodes.callers;
    let (status, sent) = a.send("ada@example.com").await.unwrap();
    assert_eq!(status, 200, "{sent}");
    let id = text(&sent, "auth_request_id");
    let code = text(&a.mails("ada@example.com", None).await.unwrap()[0], "otp");
    let body = json!({ "auth_request_id": id, "code": code });
    let verified = nodes.race("verify", vec![body; 12]).await;
    assert_eq!(
        counted(&verified),
        HashMap::from([("", 1), ("AUTH_REQUEST_USED", 11)])
    );
    let again = b.verify(&id, &code).await.unwrap();
    assert_eq!(error_code(&again), "AUTH_REQUEST_USED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_of_transactions_a_code_is_accepted_once_and_settings_travel() {
    let pooled = PgBouncer::shared().database();
    let nodes = Nodes::start_on(pooled, &[], &[("postgres.prepared", "false")]).await;
    let [a, b] = &nodes.callers;
    let sends = (0..40).map(|n| json!({ "email": format!("p{n}@example.com") }));
    let sent = nodes.race("send", sends.collect()).await;
    assert_eq!(counted(&sent), HashMap::from([("", 40)]));
    let sent = a.send("ada@example.com").await.unwrap().1;
    let id = text(&sent, "auth_request_id");
    let code = text(&a.mails("ada@example.com", None).await.unwrap()[0], "otp");
    let body = json!({ "auth_request_id": id, "code": code });
    let verified = nodes.race("verify", vec![body; 12]).await;
    assert_eq!(
        counted(&verified),
        HashMap::from([("", 1), ("AUTH_REQUEST_USED", 11)])
    );
    let told = nodes.servers[1].admin(&["settings", "set", "code_length=9"]);
    assert!(told.status.success(), "{told:?}");
    // Two seconds are promised; a busy machine is given more.
    let mut length = 0;
    for n in 0..300 {
        let to = format!("longer{n}@example.com");
        b.send(&to).await.unwrap();
        length = text(&b.mails(&to, None).await.unwrap()[0], "otp").len();
        if length == 9 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(length, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotas_and_attempts_hold_across_nodes_that_race() {
    let nodes = Nodes::start(&[]).await;
    let sends = vec![json!({ "email": "Ada@Example.com" }); 16];
    let sent = nodes.race("send", sends).await;
    assert_eq!(
        counted(&sent),
        HashMap::from([("", 2), ("RATE_LIMITED", 14)])
    );
    let accepted = sent.iter().find(|answer| answer.0 == 200).unwrap();
    let id = text(&accepted.1, "auth_request_id");
    let code = |mails: Vec<serde_json::Value>| -> Vec<String> {
        mails.iter().map(|mail| text(mail, "otp")).collect()
    };
    let mut right = Vec::new();
    for caller in &nodes.callers {
        right.extend(code(
            caller
                .mails("ada@example.com", None)
                .await
                .unwrap_or_default(),
        ));
    }
    let wrong = (0..40).map(|n| format!("{n:06}"));
    let wrong: Vec<_> = wrong
        .filter(|code| !right.contains(code))
        .map(|code| json!({ "auth_request_id": id, "code": code }))
        .collect();
    let guessed = nodes.race("verify", wrong).await;
    assert_eq!(counted(&guessed).get("INVALID_CODE"), Some(&5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_revoked_on_one_node_is_refused_by_all() {
    let nodes = Nodes::start(&[]).await;
    let id = nodes.servers[0].credentials().client_id.clone();
    let revoked = nodes.servers[1].admin(&["client", "revoke", &id]);
    assert!(revoked.status.success(), "{revoked:?}");
    let refused = async {
        while nodes.callers[0].send("ada@example.com").await.unwrap().0 != 401 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // Two seconds are promised; a busy machine is given more.
    tokio::time::timeout(Duration::from_mins(1), refused)
        .await
        .expect("the revocation arrives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_of_a_node_that_died_are_sent_by_another() {
    let mut nodes = Nodes::start(&[("outbox.concurrency", "0")]).await;
    let (status, _) = nodes.callers[0].send("ada@example.com").await.unwrap();
    assert_eq!(status, 200);
    nodes.servers[0].kill();
    // The lease ends 45 s after the send: the time is taken from it here.
    let sooner = "UPDATE deliveries SET due_at = due_at - 60000000";
    nodes.postgres.psql(&nodes.database, sooner).unwrap();
    let mails = nodes.callers[1].mails("ada@example.com", None).await;
    assert_eq!(mails.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_that_was_not_brought_up_is_refused_with_the_command_to_run() {
    let url = Postgres::shared().database();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("postern.toml");
    let data = folder.path().join("data");
    let keys = folder.path().join("root.keys");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\n\
         tls_terminated_by_proxy = true\n\
         [data]\ndir = {data:?}\nroot_keys_file = {keys:?}\ndatabase_url = \"{url}\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let postern = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_postern"));
        command.args(arguments).arg("--config").arg(&config);
        let output = command.output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(told).unwrap())
    };
    assert!(
        !postern(&["client", "list"]).0,
        "there are no root keys yet"
    );
    let (refused, told) = postern(&["keys", "root", "add"]);
    assert!(refused || told.contains("postern migrate"), "{told}");
    let (ended_well, told) = postern(&["serve"]);
    assert!(!ended_well && told.contains("postern migrate"), "{told}");
    let (done, told) = postern(&["migrate"]);
    assert!(done && told.contains("0001_first"), "{told}");
    assert_eq!(
        postern(&["migrate"]),
        (true, "the store is up to date\n".to_owned())
    );
    let (made, told) = postern(&["client", "create", "shop"]);
    assert!(made && told.contains("skc_"), "{told}");
}
