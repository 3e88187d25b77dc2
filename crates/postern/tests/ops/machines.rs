//! Every command answers machines in JSON: the tree of commands is walked by its own help, so that a new
//! one is missed here until it does.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use postern_testkit::postgres::Postgres;
use postern_testkit::process::Server;
use postern_testkit::smtp::SmtpServer;
use serde_json::Value;

use crate::{Application, POSTERN, parsed, plan, stderr, stdout};

/// Commands that answer nobody: they serve until they are stopped. What `dev` prints at its start is JSON
/// when asked for, which `dev.rs` shows.
const SERVERS: [&str; 2] = ["dev", "serve"];

/// One call of each command, in an order in which each has something to tell. Names in percent signs
/// are filled in.
const CALLS: &[&str] = &[
    "client create shop",
    "client list",
    "client rotate %client%",
    "client revoke %client%",
    "settings get",
    "settings set code_length=8",
    "settings export",
    "settings import %folder%/settings",
    "keys signing rotate",
    "keys signing list",
    "keys signing drop %signing%",
    "mail provider add main --host 127.0.0.1 --port %smtp% --tls none --from login@example.com",
    "mail provider list",
    "mail provider order main",
    "mail provider test main --to ada@example.com",
    "mail test --to ada@example.com",
    "mail provider remove main",
    "mail dkim create example.com --algorithm ed25519",
    "mail dkim list",
    "mail dkim show example.com",
    "mail dkim remove example.com postern-ed25519",
    "mail hook set mailgun --secret-file %folder%/secret",
    "mail hook list",
    "mail hook remove mailgun",
    "template list",
    "template show signin_otp",
    "template export signin_otp --to %folder%/mails",
    "template set signin_otp --from %folder%/mails",
    "template history signin_otp",
    "template lint signin_otp",
    "template preview signin_otp",
    "template edit signin_otp",
    "template import signin_otp --check --subject {{otp}} --html %folder%/jet.html --text %folder%/jet.txt",
    "template use signin_otp built-in",
    "template revert signin_otp",
    "delivery list",
    "delivery show %request%",
    "suppression add bob@example.com",
    "suppression list",
    "suppression remove bob@example.com",
    "address forget ada@example.com",
    "admin invite ada@example.com",
    "doctor",
    "keys root add",
    "keys root promote 2",
    "keys root list",
    "keys root reseal",
    "keys root retire 1",
    "migrate",
    "backup %folder%/all.backup",
    "restore %folder%/all.backup --replace",
    "store end-open %data%",
    "store copy --from %data% --to %database%",
    "store lift %data%",
    "config check --config %folder%/postern.toml",
    "config print",
    "openapi",
    "prompt node",
];

/// The words of every command that help tells of, without the groups.
fn leaves(words: &str, out: &mut BTreeSet<String>) {
    let help = stdout(&call(&format!("{words} --help")));
    let listed = help.split_once("\nCommands:\n").map(|(_, rest)| rest);
    let listed = listed.and_then(|rest| rest.split("\n\n").next());
    let Some(listed) = listed else {
        out.insert(words.trim().to_owned());
        return;
    };
    let names = listed.lines().filter_map(|line| {
        let name = line.strip_prefix("  ")?.split(' ').next()?;
        (!name.is_empty() && name != "help").then_some(name)
    });
    names.for_each(|name| leaves(&format!("{words} {name}"), out));
}

fn call(line: &str) -> Output {
    let mut command = Command::new(POSTERN);
    command.args(line.split_whitespace()).env("EDITOR", "true");
    command.output().expect("the binary starts")
}

/// What stands for the names in percent signs.
struct Names(Vec<(&'static str, String)>);

impl Names {
    fn fill(&self, line: &str) -> String {
        let names = self.0.iter();
        names.fold(line.to_owned(), |line, (name, value)| {
            line.replace(&format!("%{name}%"), value)
        })
    }

    /// Learns from an answer what later calls name.
    fn learn(&mut self, line: &str, answer: &Value) {
        let learnt = match line {
            "client create shop" => ("client", &answer["id"]),
            "keys signing list" => {
                let retired = answer.as_array().into_iter().flatten();
                let mut retired = retired.filter(|key| key["state"] == "retired");
                let key = retired.next().expect("a rotated key is retired");
                ("signing", &key["kid"])
            }
            "delivery list" => ("request", &answer[0]["id"]),
            _ => return,
        };
        let text = learnt.1.as_str();
        let text = text.unwrap_or_else(|| panic!("{line} tells no {}: {answer:#}", learnt.0));
        // A delivery is named by its request and its number there.
        let text = text.split('.').next().unwrap_or(text);
        self.0.push((learnt.0, text.to_owned()));
    }
}

/// A stopped server's store with one request in it, and the files that calls name.
async fn prepared(folder: &Path, smtp: &SmtpServer) -> (Server, Names) {
    let mut server = plan().start();
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    assert!(server.stop().success());
    let data = server.data();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("the folder takes a file");
    };
    write("settings", "code_length=6\n");
    write("jet.html", "<p>{{ otp }}</p>");
    write("jet.txt", "{{ otp }}\n");
    write("secret", "key-0123456789abcdef\n");
    write(
        "postern.toml",
        &format!(
            "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://auth.example.com\"\n\
             tls_terminated_by_proxy = true\n[data]\ndir = \"{}\"\nroot_keys_file = \"{}\"\n",
            data.display(),
            data.join("root.keys").display()
        ),
    );
    let names = vec![
        ("folder", folder.display().to_string()),
        ("data", data.display().to_string()),
        ("smtp", smtp.addr().port().to_string()),
        ("database", Postgres::shared().database()),
    ];
    (server, Names(names))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_answers_in_json_when_asked() {
    let mut leaves_left = BTreeSet::new();
    leaves("", &mut leaves_left);
    assert!(leaves_left.len() > 50, "{leaves_left:?}");
    for server in SERVERS {
        assert!(leaves_left.remove(server), "{server} is a command");
    }
    let all = leaves_left.clone();
    let folder = tempfile::tempdir().expect("a folder for the test");
    let smtp = SmtpServer::builder().start().await.expect("it starts");
    let (_server, mut names) = prepared(folder.path(), &smtp).await;
    for line in CALLS {
        let words = all.iter().find(|words| line.starts_with(words.as_str()));
        let words = words.unwrap_or_else(|| panic!("there is no command {line}"));
        leaves_left.remove(words);
        let takes_data = stdout(&call(&format!("{words} --help"))).contains("--data <DIR>");
        let data = if takes_data { " --data %data%" } else { "" };
        let output = call(&names.fill(&format!("{line}{data} --json")));
        let answer = if *words == "doctor" {
            // It may find something.
            serde_json::from_slice(&output.stdout).expect("--json answers JSON")
        } else {
            assert!(output.status.success(), "{line}: {}", stderr(&output));
            parsed(&output)
        };
        assert!(!answer.is_null(), "{line}");
        names.learn(line, &answer);
    }
    assert!(
        leaves_left.is_empty(),
        "these are not called here: {leaves_left:?}"
    );
}

#[test]
fn development_tells_machines_in_json_what_an_application_needs() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = Command::new(POSTERN);
    command.args(["dev", "--json", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(folder.path().join("data"));
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = command.spawn().expect("the binary starts");
    let out = server.stdout.take().expect("it is piped");
    let told = serde_json::Deserializer::from_reader(out)
        .into_iter::<Value>()
        .next();
    server.kill().expect("it still runs");
    server.wait().expect("it ends");
    let told = told.expect("it tells something").expect("it is JSON");
    for name in ["url", "client_id", "client_secret", "inbox_url", "env_file"] {
        assert!(told[name].is_string(), "{name}: {told:#}");
    }
}
