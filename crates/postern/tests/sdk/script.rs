//! Running one script of `tests/sdk` against a server of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use postern_testkit::process::{Plan, Server};

/// `postern dev`, mailing this type of credential.
pub(crate) fn dev(passwordless_type: &str) -> Plan {
    let plan = Plan::new(env!("CARGO_BIN_EXE_postern"));
    plan.set("settings.passwordless_type", passwordless_type)
}

/// A folder or file of the repository, which must be there.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    demand(path)
}

/// A file of cargo's target folder, which must be there.
pub(crate) fn in_target(path: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    demand(
        target
            .expect("the tests' folder lies in the target folder")
            .join(path),
    )
}

fn demand(path: PathBuf) -> PathBuf {
    let shown = path.display();
    assert!(
        path.exists(),
        "{shown} is missing: run `cargo xtask test`, which installs it"
    );
    path
}

/// Runs the script with the server's credentials and demands that every sentence in it holds.
pub(crate) fn tell(server: &Server, script: &mut Command) {
    let credentials = server.credentials();
    script
        .env("SCALEKIT_ENVIRONMENT_URL", &credentials.url)
        .env("SCALEKIT_CLIENT_ID", &credentials.client_id)
        .env("SCALEKIT_CLIENT_SECRET", &credentials.client_secret);
    let output = script.output().expect("the interpreter starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("ok: "),
        "{:?} failed ({}):\n{said}{failed}\nthe server said:\n{}",
        script.get_args().collect::<Vec<_>>(),
        output.status,
        server.stderr(),
    );
}
