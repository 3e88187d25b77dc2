//! `postern template` beside a running server, and without one.

mod edit;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use postern_testkit::process::Server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Application, eventually, parsed, plan, postern, stderr, stdout};

const TEXT: &str = "Ihr Code: {{ otp }}\n\n@{{ code_domain }} #{{ otp }}\n";

fn put(dir: &Path, name: &str, content: &str) -> PathBuf {
    let file = dir.join(name);
    fs::write(&file, content).expect("a temporary folder can be written");
    file
}

/// `postern template set` with this HTML.
fn set(server: &Server, files: &TempDir, html: &str, more: &[&str]) -> Output {
    let html = put(files.path(), "a.html", html);
    let text = put(files.path(), "a.txt", TEXT);
    let mut arguments = vec![
        "template",
        "set",
        "signin_otp",
        "--subject",
        "Code {{ otp }}",
    ];
    let (html, text) = (html.display().to_string(), text.display().to_string());
    arguments.extend(["--html", &html, "--text", &text]);
    arguments.extend(more);
    server.admin(&arguments)
}

/// A server with version 1 of `signin_otp`, while the built-in template is in force again.
fn taken_back(files: &TempDir) -> Server {
    let server = plan().start();
    let old = set(&server, files, "<p>Old {{ otp }}</p>", &[]);
    assert!(old.status.success(), "{}", stderr(&old));
    let back = server.admin(&["template", "use", "signin_otp", "built-in"]);
    assert!(back.status.success(), "{}", stderr(&back));
    server
}

async fn mail(server: &Server, to: &str) -> Value {
    let url = &server.credentials().url;
    let url = format!("{url}/dev/inbox/messages?to={to}&wait=10");
    let answer = reqwest::get(url).await.expect("the inbox answers");
    let mails: Value = answer.json().await.expect("the inbox answers JSON");
    mails[0].clone()
}

#[tokio::test]
async fn a_template_set_from_files_is_mailed_shown_and_reverted() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let set = set(&server, &files, "<p>Hallo {{ otp }}</p>", &[]);
    assert!(set.status.success(), "{}", stderr(&set));
    assert!(
        stdout(&set).contains("version 1 is in force"),
        "{}",
        stdout(&set)
    );
    let application = Application::of(server.credentials()).await;
    assert_eq!(application.send("ada@example.com").await.0, 200);
    let mail = mail(&server, "ada@example.com").await;
    assert!(
        mail["html"].as_str().unwrap().starts_with("<p>Hallo "),
        "{mail}"
    );
    let list = parsed(&server.admin(&["--json", "template", "list"]));
    assert_eq!(
        (list[0]["template"].clone(), list[0]["version"].clone()),
        (json!("signin_otp"), json!(1))
    );
    let history = parsed(&server.admin(&["--json", "template", "history", "signin_otp"]));
    assert_eq!(history[0]["saved_by"], json!("command line"));
    let part = server.admin(&["template", "show", "signin_otp", "--part", "html"]);
    assert_eq!(stdout(&part), "<p>Hallo {{ otp }}</p>\n");
    let reverted = server.admin(&["template", "revert", "signin_otp"]);
    assert!(
        stdout(&reverted).contains("built-in is in force"),
        "{}",
        stdout(&reverted)
    );
}

#[tokio::test]
async fn a_preview_shows_the_mail_that_a_reader_of_that_language_gets() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let put = set(
        &server,
        &files,
        "<p>{{ app_name }}: {{ otp }}, {{ language }}</p>",
        &[],
    );
    assert!(put.status.success(), "{}", stderr(&put));
    let preview = |version: &str| {
        let more = ["--language", "ja", "--version", version];
        let asked = [&["--json", "template", "preview", "signin_otp"], &more[..]].concat();
        parsed(&server.admin(&asked))["html"].clone()
    };
    let application = Application::of(server.credentials()).await;
    let send = json!({ "email": "ada@example.com", "template_variables": { "locale": "ja" } });
    assert_eq!(application.call("send", send).await.0, 200);
    let mail = mail(&server, "ada@example.com").await;
    let mailed = mail["html"].as_str().unwrap();
    assert!(mailed.ends_with(", ja</p>"), "{mailed}");
    for version in ["in-force", "newest"] {
        let shown = preview(version);
        let shown = shown.as_str().unwrap();
        assert!(shown.ends_with(", ja</p>") && shown.len() < 60, "{shown}");
    }
    assert!(preview("built-in").as_str().unwrap().len() > 1000);
    let shown = server.admin(&["template", "show", "signin_otp", "--language", "ja"]);
    assert!(
        stdout(&shown).starts_with("--- version 1 of signin_otp\n"),
        "{}",
        stdout(&shown)
    );
}

#[tokio::test]
async fn what_lint_refuses_stays_a_draft_and_the_command_fails() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let set = set(&server, &files, "<p>Hallo</p>", &[]);
    assert_eq!(set.status.code(), Some(1));
    assert!(stdout(&set).contains("[missing-otp]"), "{}", stdout(&set));
    assert!(
        stderr(&set).contains("version 1 is a draft"),
        "{}",
        stderr(&set)
    );
    let history = server.admin(&["template", "history", "signin_otp"]);
    let newest = stdout(&history).lines().nth(1).unwrap().to_owned();
    assert!(newest.starts_with("1        draft "), "{newest}");
    let used = server.admin(&["template", "use", "signin_otp", "1"]);
    assert!(
        stderr(&used).contains("the code is not in every mail"),
        "{}",
        stderr(&used)
    );
    let lint = server.admin(&["--json", "template", "lint", "signin_otp"]);
    assert_eq!(lint.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&lint.stdout).unwrap();
    assert_eq!(told["findings"][0]["rule"], json!("missing-otp"));
}

#[tokio::test]
async fn a_send_without_a_declared_variable_is_refused_by_name() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let declared = "{# needs plan #}<p>{{ plan }} {{ otp }}</p>";
    let set = set(&server, &files, declared, &["--language", "de"]);
    assert!(set.status.success(), "{}", stderr(&set));
    let application = Application::of(server.credentials()).await;
    let send = |email: &str, variables: Value| {
        application.call(
            "send",
            json!({ "email": email, "template_variables": variables }),
        )
    };
    let (status, told) = send("ada@example.com", json!({ "locale": "de" })).await;
    assert_eq!(status, 400);
    assert!(
        told.to_string().contains("template_variables.plan"),
        "{told}"
    );
    assert_eq!(
        send("ada@example.com", json!({ "locale": "fr" })).await.0,
        200
    );
    let supplied = json!({ "locale": "de", "plan": "Pro" });
    assert_eq!(send("bob@example.com", supplied).await.0, 200);
    let mail = mail(&server, "bob@example.com").await;
    assert!(
        mail["html"].as_str().unwrap().starts_with("<p>Pro "),
        "{mail}"
    );
}

#[tokio::test]
async fn a_scalekit_template_is_carried_over_or_told_why_not() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let import = |html: &str, more: &[&str]| {
        let html = put(files.path(), "a.html", html).display().to_string();
        let text = put(files.path(), "a.txt", "{{ .otp }}\n")
            .display()
            .to_string();
        let subject = "{{app_name}}: Your verification code is {{otp}}";
        let mut arguments = vec!["template", "import", "signin_otp", "--subject", subject];
        arguments.extend(["--html", &html, "--text", &text]);
        arguments.extend(more);
        server.admin(&arguments)
    };
    let lost = import("<p>{{ otp }}</p>\n{{ range x }}a{{ end }}", &[]);
    assert_eq!(lost.status.code(), Some(1));
    assert!(
        stdout(&lost).starts_with("html:2: not carried: {{ range x }}: "),
        "{}",
        stdout(&lost)
    );
    assert!(
        stderr(&lost).contains("nothing was saved"),
        "{}",
        stderr(&lost)
    );
    let kinds = parsed(&server.admin(&["--json", "template", "list"]));
    assert_eq!(kinds[0].get("draft"), None);
    let whole = import(
        "<p>{{ if user_name }}Hi {{ user_name }}{{ end }} {{ otp }}</p>",
        &[],
    );
    assert!(
        whole.status.success(),
        "{}{}",
        stdout(&whole),
        stderr(&whole)
    );
    let shown = parsed(&server.admin(&["--json", "template", "show", "signin_otp"]));
    let html = "<p>{% if user_name %}Hi {{ user_name }}{% endif %} {{ otp }}</p>";
    assert_eq!(shown["html"], json!(html));
}

/// `postern template import --check` of this HTML.
fn check(server: &Server, files: &TempDir, html: &str, more: &[&str]) -> Output {
    let put = |name, text| put(files.path(), name, text).display().to_string();
    let html = put("a.html", html);
    let text = put("a.txt", "{{ .otp }}\n\n@{{ .code_domain }} #{{ .otp }}\n");
    let mut arguments = more.to_vec();
    arguments.extend(["template", "import", "signin_otp", "--check"]);
    arguments.extend(["--subject", "Hi", "--html", &html, "--text", &text]);
    server.admin(&arguments)
}

#[tokio::test]
async fn a_check_of_an_import_fails_by_what_lint_says_of_its_outcome_and_saves_nothing() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let without = check(&server, &files, "<p>Hello</p>", &[]);
    assert_eq!(without.status.code(), Some(1), "{}", stderr(&without));
    let told = stdout(&without);
    assert!(told.contains("[missing-otp]"), "{told}");
    let told = stderr(&without);
    assert!(told.contains("1 to mend"), "{told}");
    let never = check(&server, &files, "<p>{{ x }} {{ otp }}</p>", &["--json"]);
    assert_eq!(never.status.code(), Some(1), "{}", stderr(&never));
    let told: Value = serde_json::from_slice(&never.stdout).unwrap();
    assert_eq!(
        told["findings"][0]["rule"],
        json!("unknown-variable"),
        "{told}"
    );
    let foreign = "<p>{{ otp }}{{ range x }}a{{ end }}{{ include y }}</p>";
    let told = stderr(&check(&server, &files, foreign, &[]));
    assert!(told.contains("2 places could"), "{told}");
    let kinds = parsed(&server.admin(&["--json", "template", "list"]));
    assert_eq!(kinds[0].get("draft"), None);
}

#[tokio::test]
async fn a_check_of_an_import_says_what_every_send_has_to_supply_and_what_it_may_leave_out() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let needed = check(&server, &files, "<p>{{ plan }} {{ otp }}</p>", &[]);
    assert!(needed.status.success(), "{}", stderr(&needed));
    let told = stdout(&needed);
    assert!(told.contains("every send has to supply plan"), "{told}");
    let asked = "<p>{{ if .plan }}{{ .plan }}{{ end }} {{ otp }}</p>";
    let spared = check(&server, &files, asked, &[]);
    assert!(spared.status.success(), "{}", stderr(&spared));
    let told = stdout(&spared);
    assert!(told.contains("{% if plan is defined and plan %}"), "{told}");
    assert!(
        told.contains("nothing is wrong with it") && !told.contains("needs"),
        "{told}"
    );
}

#[tokio::test]
async fn a_preview_goes_into_a_file_or_the_inbox() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    for (name, holds) in [
        ("a.html", "<!doctype html>"),
        ("a.txt", "731904"),
        ("a.eml", "multipart/alternative"),
    ] {
        let file = files.path().join(name).display().to_string();
        let made = server.admin(&[
            "template",
            "preview",
            "signup_link_otp",
            "--language",
            "de",
            "--out",
            &file,
        ]);
        assert!(made.status.success(), "{}", stderr(&made));
        let content = fs::read_to_string(&file).unwrap();
        assert!(content.contains(holds), "{name}: {content}");
        assert!(!content.contains("1970"), "{name}: {content}");
    }
    let made = server.admin(&["template", "preview", "signin_otp", "--inbox"]);
    assert!(made.status.success(), "{}", stderr(&made));
    let mail = mail(&server, "preview@postern.localhost").await;
    assert!(mail["text"].as_str().unwrap().contains("731904"), "{mail}");
}

#[tokio::test]
async fn without_a_server_files_are_linted_and_a_store_is_changed() {
    let files = tempfile::tempdir().unwrap();
    let mut server = plan().start();
    let data = server.data();
    server.stop();
    let data = data.to_str().unwrap();
    let dir = files.path().to_str().unwrap();
    let exported = postern(&[
        "template",
        "export",
        "signin_link",
        "--to",
        dir,
        "--data",
        data,
    ]);
    assert!(exported.status.success(), "{}", stderr(&exported));
    let lint = postern(&["template", "lint", "signin_link", "--from", dir]);
    assert!(
        stdout(&lint).contains("nothing is wrong"),
        "{}{}",
        stdout(&lint),
        stderr(&lint)
    );
    let set = postern(&[
        "template",
        "set",
        "signin_link",
        "--from",
        dir,
        "--draft",
        "--data",
        data,
    ]);
    assert!(
        stdout(&set).contains("version 1 is kept as a draft"),
        "{}{}",
        stdout(&set),
        stderr(&set)
    );
    let odd = postern(&["template", "lint", "sign_in", "--from", dir]);
    assert_eq!(odd.status.code(), Some(2));
}

#[tokio::test]
async fn a_change_by_the_command_line_is_in_force_on_the_running_server() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let application = Application::of(server.credentials()).await;
    assert!(
        set(&server, &files, "<p>Eins {{ otp }}</p>", &[])
            .status
            .success()
    );
    let count = std::sync::atomic::AtomicU32::new(0);
    eventually("the mail is the custom one", || async {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let email = format!("ada{number}@example.com");
        application.send(&email).await;
        let mail = mail(&server, &email).await;
        mail["html"]
            .as_str()
            .is_some_and(|html| html.contains("Eins"))
    })
    .await;
}
