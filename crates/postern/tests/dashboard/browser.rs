//! Real Chromium: a newcomer's first minutes with the dashboard, axe-core on every page, and the
//! example apps.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use postern_testkit::smtp::{Builder, SmtpServer};

use crate::site::Site;
use crate::stock;

fn of_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

fn installed(folder: &str) -> PathBuf {
    let folder = of_repository(folder);
    assert!(
        folder.join("node_modules/.installed-lock").exists(),
        "{} lacks its packages: run `cargo xtask test`, which installs them",
        folder.display()
    );
    folder
}

fn run(script: &str) {
    tell(&Site::start(), script, &[]);
}

/// Runs the script and demands that every sentence in it holds.
fn tell(site: &Site, script: &str, more: &[(&str, &str)]) {
    installed("tests/sdk/node");
    let output = Command::new("node")
        .arg(installed("tests/browser").join(script))
        .env("POSTERN_URL", &site.url)
        .env("POSTERN_INVITATION", site.printed())
        .env("POSTERN_DATA", site.server.data())
        .envs(more.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("ok: "),
        "{script} failed:\n{said}{failed}\nthe server said:\n{}",
        site.server.stderr()
    );
}

/// A running example app, ended with this value.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the app beside a server that mails codes and links, and drives it.
fn drive(mut app: Command) {
    let site = Site::set(&[
        ("passwordless_type", "LINK_OTP"),
        ("enforce_same_browser_origin", "true"),
    ]);
    let held = site.server.credentials();
    app.env("SCALEKIT_ENVIRONMENT_URL", &held.url)
        .env("SCALEKIT_CLIENT_ID", &held.client_id)
        .env("SCALEKIT_CLIENT_SECRET", &held.client_secret)
        .env("PORT", "0");
    let mut app = Example(app.stdout(Stdio::piped()).spawn().unwrap());
    let mut address = String::new();
    let mut said = BufReader::new(app.0.stdout.take().unwrap());
    said.read_line(&mut address).unwrap();
    tell(&site, "example.mjs", &[("EXAMPLE_URL", address.trim())]);
}

#[test]
fn the_express_example_signs_in_by_code_and_by_link() {
    let mut node = Command::new("node");
    node.arg(installed("examples/express").join("app.mjs"));
    drive(node);
}

#[test]
fn the_axum_example_signs_in_by_code_and_by_link() {
    // Built with the workspace's tests; asking cargo for it takes no more than a look.
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--package", "postern-example-axum"]);
    cargo.current_dir(of_repository("."));
    drive(cargo);
}

#[test]
fn a_newcomer_gets_from_the_printed_address_to_a_verified_sign_in() {
    run("story.mjs");
}

#[test]
fn axe_finds_no_violation_on_any_page_light_or_dark() {
    run("axe.mjs");
}

#[test]
fn every_setting_of_the_dashboard_changes_what_apps_get() {
    run("settings.mjs");
}

async fn listening(builder: Builder) -> (SmtpServer, String) {
    let server = builder.start().await.unwrap();
    let port = server.addr().port().to_string();
    (server, port)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_is_connected_tried_ordered_changed_used_and_removed() {
    let account = SmtpServer::builder().account("postern", "correct-horse-battery");
    let (_first, first) = listening(SmtpServer::builder()).await;
    let (_second, second) = listening(account).await;
    let ports = [("SMTP_FIRST", &*first), ("SMTP_SECOND", &*second)];
    tokio::task::block_in_place(|| tell(&Site::start(), "providers.mjs", &ports));
}

#[test]
fn the_keyboard_alone_reaches_everything_and_shows_where_it_is() {
    run("keyboard.mjs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_main_tasks_work_where_no_script_runs() {
    let (_relay, port) = listening(SmtpServer::builder()).await;
    let ports = [("SMTP_FIRST", &*port)];
    tokio::task::block_in_place(|| tell(&Site::start(), "plain.mjs", &ports));
}

#[test]
fn credentials_are_rotated_under_a_running_app() {
    run("rotation.mjs");
}

#[test]
fn what_is_meant_ill_is_inert_and_two_admins_do_not_overwrite_each_other() {
    run("hostile.mjs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_of_100_000_requests_is_filtered_and_exported() {
    let mut site = Site::start();
    site.stop();
    stock::fill(&site.server.data(), stock::MANY).await;
    site.start_again();
    let count = stock::MANY.to_string();
    tokio::task::block_in_place(|| tell(&site, "logs.mjs", &[("REQUESTS", &*count)]));
}
