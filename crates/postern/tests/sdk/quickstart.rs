//! The code that the quickstart, the prompts and `postern prompt` offer, run as it is: somebody
//! asks for a second mail, then types the code or the link.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use postern::prompt::Stack;
use postern_testkit::process::{Plan, Server};
use serde_json::Value;

use crate::script::{self, dev};

/// The program that runs this stack's code, which it reads from its last argument.
fn program(stack: Stack, server: &Server) -> Command {
    let ca = server.data().join("ca.pem");
    let (mut command, words): (_, &[&str]) = match stack {
        Stack::Node => {
            script::installed("tests/sdk/node/node_modules/.installed-lock");
            (Command::new("node"), &["--input-type=module", "-e"])
        }
        Stack::Python => {
            let python = script::in_target("sdk-python/bin/python");
            (Command::new(python), &["-B", "-c"])
        }
        _ => (Command::new("bash"), &["-c"]),
    };
    command.args(words).arg(stack.code());
    command.current_dir(script::installed("tests/sdk/node"));
    command.env("REQUESTS_CA_BUNDLE", &ca);
    command.env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &ca);
    command
}

/// Built with the workspace's tests; asking cargo for it takes no more than a look.
fn rust() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    let manifest: PathBuf = script::installed("crates/postern-client/Cargo.toml");
    cargo.args(["run", "--quiet", "--example", "signin", "--manifest-path"]);
    cargo.arg(manifest);
    cargo
}

/// The mail that came after the one with this id.
fn mail(server: &Server, after: &str) -> Value {
    let credentials = server.credentials();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--insecure"]);
    curl.arg(format!(
        "{}/dev/inbox/messages?to=ada@example.com&wait=30&after={after}",
        credentials.url
    ));
    let mails: Value = serde_json::from_slice(&curl.output().expect("curl runs").stdout)
        .expect("the inbox answers JSON");
    mails[0].clone()
}

/// Runs it as a person would who loses the first mail and types what the second one holds.
fn sign_in(plan: Plan, program: impl FnOnce(&Server) -> Command, typed: &str) {
    let server = plan.start();
    let credentials = server.credentials();
    let mut child = program(&server)
        .env("SCALEKIT_ENVIRONMENT_URL", &credentials.url)
        .env("SCALEKIT_CLIENT_ID", &credentials.client_id)
        .env("SCALEKIT_CLIENT_SECRET", &credentials.client_secret)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut keyboard = child.stdin.take().expect("it is piped");
    let first = mail(&server, "");
    writeln!(keyboard).expect("it reads");
    let second = mail(&server, first["id"].as_str().unwrap_or_default());
    writeln!(keyboard, "{}", second[typed].as_str().unwrap_or_default()).expect("it reads");
    drop(keyboard);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout);
    let verified = said.rsplit("again):").next().unwrap_or_default();
    assert!(
        output.status.success() && verified.contains("ada@example.com"),
        "{said}{}\nthe mails: {first} {second}\nthe server said:\n{}",
        String::from_utf8_lossy(&output.stderr),
        server.stderr()
    );
}

#[test]
fn the_node_code_resends_and_signs_in_by_code() {
    sign_in(dev("OTP"), |server| program(Stack::Node, server), "otp");
}

#[test]
fn the_node_code_resends_and_signs_in_by_link() {
    sign_in(dev("LINK"), |server| program(Stack::Node, server), "link");
}

#[test]
fn the_python_code_resends_and_signs_in_by_code() {
    let python = |server: &Server| program(Stack::Python, server);
    sign_in(dev("OTP").tls(), python, "otp");
}

#[test]
fn the_python_code_resends_and_signs_in_by_link() {
    let python = |server: &Server| program(Stack::Python, server);
    sign_in(dev("LINK").tls(), python, "link");
}

#[test]
fn the_curl_code_resends_and_signs_in_by_code() {
    sign_in(dev("OTP"), |server| program(Stack::Curl, server), "otp");
}

#[test]
fn the_curl_code_resends_and_signs_in_by_link() {
    sign_in(dev("LINK"), |server| program(Stack::Curl, server), "link");
}

#[test]
fn the_rust_code_resends_and_signs_in_by_code() {
    sign_in(dev("OTP"), |_| rust(), "otp");
}

#[test]
fn the_rust_code_resends_and_signs_in_by_link() {
    sign_in(dev("LINK"), |_| rust(), "link");
}
