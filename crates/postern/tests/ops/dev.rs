use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use postern_testkit::process::Server;

use crate::{eventually, plan, postern, stderr, stdout};

/// What `postern dev` prints once it listens.
async fn printed(server: &Server) -> String {
    eventually("it prints how to try it", async || {
        server.stdout().contains("Stop with")
    })
    .await;
    server.stdout()
}

/// The script that it printed under "Try it".
fn walk(printed: &str) -> &str {
    let (_, rest) = printed
        .split_once("Try it:\n\n")
        .expect("a walk is printed");
    rest.split_once("\nStop with").expect("the walk ends").0
}

fn run(script: &str) -> String {
    let output = Command::new("sh")
        .arg("-euc")
        .arg(script)
        .output()
        .expect("a shell runs");
    assert!(output.status.success(), "{script}\n{}", stderr(&output));
    stdout(&output)
}

#[tokio::test]
async fn the_printed_walk_signs_somebody_in_when_it_is_pasted() {
    let server = plan().start();
    let printed = printed(&server).await;
    for _ in 0..2 {
        let answer = run(walk(&printed));
        assert!(
            answer.contains(r#""email":"ada."#) && answer.contains(r#""passwordless_type":"OTP""#),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn the_printed_walk_signs_in_by_whatever_is_mailed_and_shows_what_send_says() {
    for (mailed, used) in [("LINK", "LINK"), ("LINK_OTP", "OTP")] {
        let plan = plan().set("settings.passwordless_type", mailed);
        let server = plan.set("settings.code_alphabet", "ALPHANUMERIC").start();
        let answer = run(walk(&printed(&server).await));
        let (sent, verified) = answer.trim().split_once('\n').expect("two answers");
        let told = format!(r#""passwordless_type":"{mailed}""#);
        assert!(sent.contains(&told), "{answer}");
        let told = format!(r#""passwordless_type":"{used}""#);
        assert!(verified.contains(&told), "{answer}");
    }
}

#[tokio::test]
async fn the_printed_walk_works_over_tls_with_the_private_ca() {
    let server = plan().tls().start();
    let printed = printed(&server).await;
    assert!(
        printed.contains("NODE_EXTRA_CA_CERTS=")
            && printed.contains("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=")
    );
    let answer = run(walk(&printed));
    assert!(answer.contains(r#""passwordless_type":"OTP""#), "{answer}");
    let mode = |name: &str| {
        server
            .data()
            .join(name)
            .metadata()
            .expect("it was made")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (
            mode("ca.key"),
            mode("tls.key"),
            mode("dev.env"),
            mode("root.keys")
        ),
        (0o600, 0o600, 0o600, 0o600)
    );
}

#[test]
fn the_next_start_keeps_the_client_and_its_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let start = || {
        crate::serve::Running::dev(&[
            "--listen",
            "127.0.0.1:0",
            "--data",
            data.to_str().expect("UTF-8"),
        ])
    };
    let first = start().told.clone();
    let second = start().told.clone();
    assert_eq!(
        (&first["client_id"], &first["client_secret"]),
        (&second["client_id"], &second["client_secret"])
    );
}

#[test]
fn a_taken_port_is_one_clear_line_and_its_own_exit_code() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("it is bound");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let output = postern(&[
        "dev",
        "--listen",
        &address.to_string(),
        "--data",
        data.to_str().expect("UTF-8"),
    ]);
    assert_eq!(output.status.code(), Some(5));
    let told = format!(
        "postern: cannot listen on {address}: port {} is taken by another program; choose one with --listen, 0 for any\n",
        address.port()
    );
    assert_eq!(stderr(&output), told);
}

#[test]
fn a_folder_that_cannot_be_made_is_one_clear_line() {
    let output = postern(&["dev", "--listen", "127.0.0.1:0", "--data", "/proc/nothing"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.starts_with("postern: cannot use the data directory /proc/nothing: "),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1);
}

#[test]
fn a_second_process_on_the_same_data_is_refused() {
    let server = plan().start();
    let data = server.data();
    let output = postern(&[
        "dev",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.to_str().expect("UTF-8"),
    ]);
    assert_eq!(output.status.code(), Some(3));
    let told = stderr(&output);
    assert!(
        told.ends_with(&format!(
            "is in use by another process (pid {})\n",
            server.id()
        )),
        "{told}"
    );
}

#[test]
fn development_does_not_listen_where_others_can_reach_it_unless_told() {
    let output = postern(&[
        "dev",
        "--listen",
        "0.0.0.0:0",
        "--data",
        "/nonexistent-and-not-made",
    ]);
    assert!(
        stderr(&output).contains("--allow-remote"),
        "{}",
        stderr(&output)
    );
    assert!(!output.status.success());
}

#[tokio::test]
async fn no_path_of_the_whole_server_answers_with_an_empty_body() {
    let server = plan().start();
    let http = reqwest::Client::new();
    for (method, path, status) in [
        ("POST", "/healthz", 405),
        ("DELETE", "/dev/inbox/messages", 405),
        ("POST", "/dev/inbox", 405),
        ("PUT", "/dashboard/logs", 405),
        ("POST", "/llms.txt", 405),
        ("GET", "/grpc.health.v1.Health/Check", 405),
        ("POST", "/grpc.health.v1.Health/Check", 415),
        ("GET", "/favicon.ico", 404),
        ("GET", "/dev/inbox/mails/%ff", 404),
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/hooks/mail/%ff", 404),
    ] {
        let url = format!("{}{path}", server.credentials().url);
        let asked = http.request(method.parse().expect("a method"), url);
        let answer = asked.send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert!(body["code"].is_number(), "{method} {path}: {body}");
    }
    // Whom the dashboard answers reads pages.
    for path in ["/dashboard/nothing", "/dashboard/%ff"] {
        let url = format!("{}{path}", server.credentials().url);
        let answer = http.get(url).send().await.expect("it answers");
        assert_eq!(answer.status().as_u16(), 404, "{path}");
        let page = answer.text().await.expect("text");
        assert!(page.contains("There is nothing here"), "{path}: {page}");
    }
}

#[tokio::test]
async fn the_openapi_command_prints_what_the_server_serves() {
    let server = plan().start();
    let url = format!("{}/openapi.json", server.credentials().url);
    let answer = reqwest::get(url).await.expect("it answers");
    let document: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!(crate::parsed(&postern(&["openapi"])), document);
}

#[tokio::test]
async fn a_call_stands_in_the_log_under_the_name_that_its_answer_has() {
    let plan = plan()
        .set("log.filter", "postern=debug")
        .set("log.format", "json");
    let server = plan.start();
    let url = format!(
        "{}/api/v1/passwordless/email/send",
        server.credentials().url
    );
    let ask = async |sdk: &str| {
        let asked = reqwest::Client::new()
            .post(&url)
            .header("x-sdk-version", sdk);
        let answer = asked.send().await.expect("it answers");
        let id = answer.headers()["x-request-id"].to_str().expect("text");
        id.to_owned()
    };
    for (sdk, logged) in [
        ("Scalekit-Node/2.11.0", "Scalekit-Node/2.11.0"),
        ("a b", ""),
    ] {
        let id = ask(sdk).await;
        let line = || {
            let log = server.stderr();
            log.lines()
                .find(|line| line.contains(&id))
                .map(ToOwned::to_owned)
        };
        eventually("the call is in the log", async || line().is_some()).await;
        let line: serde_json::Value =
            serde_json::from_str(&line().expect("it was there")).expect("JSON");
        let told = |name: &str| line.pointer(&format!("/fields/{name}")).or(line.get(name));
        assert_eq!(told("request_id"), Some(&id.into()), "{line}");
        assert_eq!(told("method"), Some(&"send".into()), "{line}");
        assert_eq!(told("outcome"), Some(&"unauthenticated".into()), "{line}");
        assert_eq!(told("sdk"), Some(&logged.into()), "{line}");
    }
}

#[test]
fn the_environment_is_heard_and_a_flag_overrides_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("from-the-environment");
    let mut command = Command::new(crate::POSTERN);
    command.args(["dev", "--listen", "0.0.0.0:0"]);
    command
        .env("POSTERN_DATA_DIR", &data)
        .env("POSTERN_SERVER_LISTEN", "127.0.0.1:0");
    let output = command.output().expect("the binary starts");
    assert!(
        stderr(&output).starts_with("postern: --listen 0.0.0.0:0 "),
        "{}",
        stderr(&output)
    );
    assert!(data.is_dir());
}
