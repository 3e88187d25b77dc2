//! The dashboard in real Chromium: a newcomer's first minutes, and axe-core on every page.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::site::Site;

fn run(script: &str) {
    let site = Site::start();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser");
    let installed: PathBuf = folder.join("node_modules/.installed-lock");
    assert!(
        installed.exists(),
        "the browser tests' packages are missing: run `cargo xtask test`, which installs them"
    );
    let output = Command::new("node")
        .arg(folder.join(script))
        .env("POSTERN_URL", &site.url)
        .env("POSTERN_INVITATION", site.printed())
        .env("POSTERN_DATA", site.server.data())
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

#[test]
fn a_newcomer_gets_from_the_printed_address_to_a_verified_sign_in() {
    run("story.mjs");
}

#[test]
fn axe_finds_no_violation_on_any_page_light_or_dark() {
    run("axe.mjs");
}
