//! The published Python SDK, unchanged, against the real binary (contract §2, §4, §5, §11). It
//! speaks gRPC over TLS only.

use std::process::Command;

use postern_testkit::process::{Plan, Server};

use crate::script::{self, dev};

fn run(script: &str, plan: Plan) {
    let server = plan.tls().start();
    script::tell(&server, &mut python(script, &server));
}

fn python(script: &str, server: &Server) -> Command {
    script::in_target("sdk-python/.installed-lock");
    let mut python = Command::new(script::in_target("sdk-python/bin/python"));
    python
        .arg("-B")
        .arg(script::installed("tests/sdk/python").join(script));
    let ca = server.data().join("ca.pem");
    python.env("REQUESTS_CA_BUNDLE", &ca);
    python.env("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &ca);
    python
}

#[test]
fn python_signs_in_by_code() {
    run("otp.py", dev("OTP"));
}

#[test]
fn python_signs_in_by_link() {
    run("link.py", dev("LINK"));
}

#[test]
fn python_signs_in_by_either() {
    run("link_otp.py", dev("LINK_OTP"));
}

#[test]
fn python_catches_every_refusal_as_its_own_class() {
    run("refusals.py", dev("OTP"));
}

#[test]
fn python_gets_and_checks_tokens_and_may_send_two() {
    run("tokens.py", dev("OTP"));
}
