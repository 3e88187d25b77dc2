use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{POSTERN, eventually, postern, stderr, stdout};

/// A process under test, killed when dropped.
pub(crate) struct Running {
    child: Child,
    /// What it printed as JSON once it listened; `dev` only.
    pub(crate) told: Value,
}

impl Running {
    /// `postern dev --json` with these flags.
    pub(crate) fn dev(flags: &[&str]) -> Self {
        let mut command = Command::new(POSTERN);
        let mut child = command
            .arg("dev")
            .arg("--json")
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut values = serde_json::Deserializer::from_reader(out).into_iter();
        let told = values.next().expect("it listens").expect("it prints JSON");
        Self { child, told }
    }

    fn serve(config: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(POSTERN);
        command.args(["serve", "--config"]).arg(config).args(flags);
        Self::logged(command)
    }

    /// A command that serves and tells so in its log.
    pub(crate) fn logged(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let mut log = BufReader::new(child.stderr.take().expect("it is piped"));
        let mut line = String::new();
        while !line.contains("\"serving\"") {
            line.clear();
            assert!(
                log.read_line(&mut line).expect("it logs") > 0,
                "it ended before it served"
            );
        }
        let told = serde_json::from_str(&line).expect("a log that goes to no terminal is JSON");
        std::thread::spawn(move || {
            let _ = log.read_to_end(&mut Vec::new());
        });
        Self { child, told }
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> std::process::ExitStatus {
        self.child.wait().expect("it can be waited for")
    }

    pub(crate) fn terminate(&self) {
        let id = self.child.id().to_string();
        // Of `unshare --fork` the server is the child.
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        let server = children.split_whitespace().next().unwrap_or(&id);
        let status = Command::new("kill").args(["-TERM", server]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Installation {
    folder: tempfile::TempDir,
    port: u16,
}

impl Installation {
    fn new() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        let installation = Self {
            folder: tempfile::tempdir().expect("a folder"),
            port,
        };
        let folder = installation.folder.path().display();
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"https://auth.example.com\"\ndrain = \"1s\"\n\
             [data]\ndir = \"{folder}/data\"\nroot_keys_file = \"{folder}/root.keys\"\n"
        );
        std::fs::write(installation.config(), text).expect("the folder is writable");
        installation
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("postern.toml")
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let config = self.config();
        postern(&[arguments, &["--config", config.to_str().expect("UTF-8")]].concat())
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

#[test]
fn serve_does_not_start_without_root_keys_and_says_how_to_make_them() {
    let installation = Installation::new();
    let output = installation.run(&["serve"]);
    assert_eq!(output.status.code(), Some(4));
    let told = stderr(&output);
    assert!(
        told.contains("make them with `postern keys root add`"),
        "{told}"
    );
    for command in [["client", "list"], ["settings", "get"]] {
        assert!(!installation.run(&command).status.success(), "{command:?}");
    }
    assert!(
        !installation.config().with_file_name("root.keys").exists(),
        "no other command makes a keyring"
    );
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    assert!(installation.run(&["config", "check"]).status.success());
}

#[test]
fn a_keyring_made_anew_does_not_pass_for_the_one_that_sealed_the_store() {
    let installation = Installation::new();
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    drop(Running::serve(&installation.config(), &[]));
    let keyring = installation.config().with_file_name("root.keys");
    std::fs::remove_file(&keyring).expect("it was made");
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    let output = installation.run(&["keys", "root", "reseal"]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(told.contains("a stored secret does not open"), "{told}");
}

#[tokio::test]
async fn links_and_issuer_come_from_the_configured_url_and_never_from_the_host_header() {
    let installation = Installation::new();
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    let _server = Running::serve(&installation.config(), &[]);
    let http = reqwest::Client::new();
    let asked = http
        .get(installation.url("/.well-known/openid-configuration"))
        .header("host", "evil.example");
    let metadata: Value = asked
        .send()
        .await
        .expect("it answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!(metadata["issuer"], "https://auth.example.com");
    assert!(!metadata.to_string().contains("evil"), "{metadata}");
}

#[tokio::test]
async fn a_server_without_a_mail_provider_starts_and_says_so_at_send() {
    let installation = Installation::new();
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    let made = crate::parsed(&installation.run(&["client", "create", "shop", "--json"]));
    let _server = Running::serve(&installation.config(), &[]);
    let (id, secret) = (
        made["id"].as_str().expect("an id"),
        made["secret"].as_str().expect("a secret"),
    );
    let shop = crate::Application::sign_on(&installation.url(""), id, secret)
        .await
        .expect("the secret is good");
    let (status, refused) = shop.send("ada@example.com").await;
    assert_eq!(
        (status, &refused["details"][0]["error_code"]),
        (400, &Value::from("MAIL_NOT_CONFIGURED"))
    );
    let inbox = reqwest::get(installation.url("/dev/inbox"))
        .await
        .expect("it answers");
    assert_eq!(
        inbox.status(),
        404,
        "there is no development inbox in production"
    );
}

#[tokio::test]
async fn sigterm_makes_it_unready_then_says_goodbye_then_ends_it_with_success() {
    let installation = Installation::new();
    assert!(installation.run(&["keys", "root", "add"]).status.success());
    let mut server = Running::serve(&installation.config(), &["--set", "server.drain=3s"]);
    let ready = async || reqwest::get(installation.url("/readyz")).await;
    assert_eq!(ready().await.expect("it answers").status(), 200);

    server.terminate();
    eventually("it is not ready", async || {
        ready().await.is_ok_and(|answer| answer.status() == 503)
    })
    .await;
    let leaving = ready().await.expect("a stopping server still answers");
    assert_eq!(leaving.headers()["connection"], "close");
    let told: Value = leaving.json().await.expect("JSON");
    assert_eq!(told["reasons"][0], "the server is stopping");

    let ended = tokio::task::spawn_blocking(move || {
        let status = server.child.wait();
        drop(server);
        status
    });
    assert!(
        ended
            .await
            .expect("it is waited for")
            .expect("it ends")
            .success()
    );
    assert!(!installation.folder.path().join("data/admin.sock").exists());
}

#[test]
fn a_flag_overrides_the_file_and_print_says_where_each_value_was_typed() {
    let installation = Installation::new();
    let printed = stdout(&installation.run(&["config", "print", "--set", "log.filter=debug"]));
    assert!(
        printed.contains("filter = \"debug\"  # --set\n"),
        "{printed}"
    );
    assert!(
        printed.contains("public_url = \"https://auth.example.com\"  # ")
            && printed.contains("postern.toml:3\n"),
        "{printed}"
    );
}
