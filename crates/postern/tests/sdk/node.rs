//! The published Node SDK, unchanged, against the real binary (contract §2, §4, §5, §11).

use std::process::Command;

use postern_testkit::process::{Plan, Server};

use crate::script::{self, dev};

fn run(script: &str, plan: Plan) {
    let server = plan.start();
    script::tell(&server, &mut node(script, &server));
}

fn node(script: &str, server: &Server) -> Command {
    script::installed("tests/sdk/node/node_modules/.installed-lock");
    let mut node = Command::new("node");
    node.arg(script::installed("tests/sdk/node").join(script));
    node.env("NODE_EXTRA_CA_CERTS", server.data().join("ca.pem"));
    if !server.data().join("ca.pem").exists() {
        node.env_remove("NODE_EXTRA_CA_CERTS");
    }
    node
}

#[test]
fn node_signs_in_by_code_over_plain_http_2() {
    run("otp.mjs", dev("OTP"));
}

#[test]
fn node_signs_in_by_code_over_tls() {
    run("otp.mjs", dev("OTP").tls());
}

#[test]
fn node_signs_in_by_link_over_plain_http_2() {
    run("link.mjs", dev("LINK"));
}

#[test]
fn node_signs_in_by_link_over_tls() {
    run("link.mjs", dev("LINK").tls());
}

#[test]
fn node_signs_in_by_either_over_plain_http_2() {
    run("link_otp.mjs", dev("LINK_OTP"));
}

#[test]
fn node_signs_in_by_either_over_tls() {
    run("link_otp.mjs", dev("LINK_OTP").tls());
}

#[test]
fn node_keeps_a_link_to_the_asking_browser() {
    let plan = dev("LINK").set("settings.enforce_same_browser_origin", "true");
    run("same_browser.mjs", plan);
}

#[test]
fn node_catches_every_refusal_as_its_own_class_over_plain_http_2() {
    run("refusals.mjs", dev("OTP"));
}

#[test]
fn node_catches_every_refusal_as_its_own_class_over_tls() {
    run("refusals.mjs", dev("OTP").tls());
}

#[test]
fn node_gets_and_checks_tokens_over_plain_http() {
    run("tokens.mjs", dev("OTP"));
}

#[test]
fn node_gets_and_checks_tokens_over_tls() {
    run("tokens.mjs", dev("OTP").tls());
}

#[test]
#[ignore = "waits for the shortest lifetime, a minute: cargo xtask test --full"]
fn node_is_told_that_a_code_expired() {
    run("expiry.mjs", dev("OTP"));
}
