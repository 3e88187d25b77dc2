//! `postern serve` beside an SMTP server that says people's addresses back: its log, read for
//! secrets.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use postern_testkit::process::Credentials;
use postern_testkit::smtp::{Act, Encryption, Received, SmtpServer, Step};
use serde_json::{Value, json};

use crate::caller::{Caller, text};
use crate::log_scan::Secrets;

const POSTERN: &str = env!("CARGO_BIN_EXE_postern");
const PASSWORD: &str = "the-password-of-the-relay-31c8";

#[tokio::test]
async fn the_log_of_a_server_that_talks_to_smtp_holds_no_secret_and_no_address() {
    let relay = SmtpServer::builder()
        .encryption(Encryption::StartTls)
        .account("relay", PASSWORD);
    let relay = relay.start().await.unwrap();
    let site = Site::prepare(&relay);
    let mut secrets = Secrets::default();
    secrets.add("SMTP password", PASSWORD);
    let credentials = site.client(&mut secrets);
    let mut served = Served::start(&site);
    let credentials = Credentials {
        url: served.url.clone(),
        ..credentials
    };
    let caller = Caller::new(&credentials).await;
    secrets.add("bearer token", caller.token());
    delivered(&caller, &relay, &mut secrets).await;
    bounced(&caller, &relay, &mut secrets).await;
    let log = served.stop();
    assert!(
        log.contains("DEBUG") && log.contains("mail attempted"),
        "{log}"
    );
    assert_eq!(secrets.found_in(&log), [""; 0], "in the log:\n{log}");
}

/// A mail that arrives after a first failure, and its code verified.
async fn delivered(caller: &Caller, relay: &SmtpServer, secrets: &mut Secrets) {
    let to = "mary.jackson.1921@nasa.example.com";
    secrets.add("address", to);
    relay.once(
        Step::Rcpt,
        Act::Reply(451, format!("<{to}> greylisted, come back")),
    );
    let (status, sent) = caller.send(to).await.unwrap();
    assert_eq!(status, 200, "{sent}");
    let id = text(&sent, "auth_request_id");
    secrets.add("auth_request_id", id.clone());
    let code = code_of(&relay.wait_for(1).await[0]);
    secrets.add("code", code.clone());
    assert_eq!(caller.verify(&id, &code).await.unwrap().0, 200);
}

/// A mail that is refused for good, in words that name the person; a second one tells when the
/// first is settled.
async fn bounced(caller: &Caller, relay: &SmtpServer, secrets: &mut Secrets) {
    let nobody = "nobody.at.all.1908@nasa.example.com";
    secrets.add("refused address", nobody);
    let words = format!("5.1.1 <{nobody}>: recipient unknown");
    relay.always_for(nobody, Step::Rcpt, Act::Reply(550, words));
    assert_eq!(caller.send(nobody).await.unwrap().0, 200);
    let other = "christine.darden.1942@nasa.example.com";
    secrets.add("another address", other);
    assert_eq!(caller.send(other).await.unwrap().0, 200);
    relay.wait_for(2).await;
}

/// The code of ten digits in a mail's subject.
fn code_of(mail: &Received) -> String {
    let mail = String::from_utf8_lossy(&mail.data).into_owned();
    let subject = mail
        .lines()
        .find(|line| line.starts_with("Subject:"))
        .expect("a subject");
    let mut words = subject.split(|c: char| !c.is_ascii_digit());
    words
        .find(|word| word.len() == 10)
        .expect("a code in the subject")
        .to_owned()
}

/// An installation: its folder, its configuration, its keys, its mail provider.
struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    fn prepare(relay: &SmtpServer) -> Self {
        let site = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let folder = site.folder.path().display();
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\ndrain = \"1s\"\n\
             [data]\ndir = \"{folder}/data\"\nroot_keys_file = \"{folder}/root.keys\"\n\
             [log]\nfilter = \"trace\"\nformat = \"json\"\n"
        );
        fs::write(site.config(), config).unwrap();
        fs::write(site.path("password"), PASSWORD).unwrap();
        fs::write(site.path("relay-ca.pem"), relay.ca_pem()).unwrap();
        done(&site.run("keys root add"));
        done(&site.run("settings set code_length=10"));
        let (port, password) = (relay.addr().port(), site.path("password"));
        let add = format!(
            "mail provider add main --host localhost --port {port} --tls starttls \
             --username relay --password-file {} --from login@example.com",
            password.display()
        );
        done(&site.run(&add));
        site
    }

    /// Makes a client; what that prints is its to keep.
    fn client(&self, secrets: &mut Secrets) -> Credentials {
        let made = done(&self.run("client create scanned --json"));
        let made: Value = serde_json::from_slice(&made).unwrap();
        secrets.add("client secret", text(&made, "secret"));
        Credentials {
            url: String::new(),
            client_id: text(&made, "id"),
            client_secret: text(&made, "secret"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PathBuf {
        self.path("postern.toml")
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(POSTERN);
        command.args(arguments.split_whitespace());
        command.arg("--config").arg(self.config()).output().unwrap()
    }
}

fn done(output: &Output) -> Vec<u8> {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout.clone()
}

/// A running `postern serve` whose log is kept.
struct Served {
    child: Child,
    url: String,
    log: Option<JoinHandle<String>>,
}

impl Served {
    fn start(site: &Site) -> Self {
        let mut command = Command::new(POSTERN);
        command.args(["serve", "--config"]).arg(site.config());
        // rustls-native-certs takes the system's trust from here.
        command.env("SSL_CERT_FILE", site.path("relay-ca.pem"));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let address = loop {
            let start = log.len();
            assert!(
                lines.read_line(&mut log).unwrap() > 0,
                "it did not serve: {log}"
            );
            let line: Value = serde_json::from_str(&log[start..]).unwrap_or_else(|_| json!({}));
            if line["message"] == "serving" {
                break text(&line, "address");
            }
        };
        let rest = std::thread::spawn(move || {
            lines.read_to_string(&mut log).unwrap();
            log
        });
        Self {
            child,
            url: format!("http://{address}"),
            log: Some(rest),
        }
    }

    /// Stops it and gives everything that it logged.
    fn stop(&mut self) -> String {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        self.log.take().expect("it is stopped once").join().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
