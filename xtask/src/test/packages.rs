//! The published SDK packages that the tests drive, at the versions their lock files pin.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::system;
use crate::shell::{Workspace, run};

/// Installs `tests/sdk/node/package-lock.json` unless it is what is installed already.
///
/// # Errors
/// When npm cannot install it.
pub(crate) fn node(workspace: &Workspace) -> Result<()> {
    npm(workspace, "tests/sdk/node")
}

/// Installs what `tests/browser` and the examples lock, unless it is what is installed already.
///
/// # Errors
/// When npm cannot install it.
pub(crate) fn browser(workspace: &Workspace) -> Result<()> {
    npm(workspace, "tests/browser")?;
    npm(workspace, "examples/express")
}

fn npm(workspace: &Workspace, folder: &str) -> Result<()> {
    let folder = workspace.root.join(folder);
    let lock = folder.join("package-lock.json");
    once(&lock, &folder.join("node_modules/.installed-lock"), || {
        run(workspace
            .command("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(&folder))
    })
}

/// Installs `tests/sdk/python/requirements.txt` into an environment in the target folder,
/// unless it is what is installed already.
///
/// # Errors
/// When the environment cannot be made or filled.
pub(crate) fn python(workspace: &Workspace) -> Result<()> {
    let lock = workspace.root.join("tests/sdk/python/requirements.txt");
    let environment = workspace.target.join("sdk-python");
    once(&lock, &environment.join(".installed-lock"), || {
        let python =
            system::python().context("no Python 3.11 or newer that can make environments")?;
        run(workspace
            .command(python)
            .args(["-m", "venv", "--clear"])
            .arg(&environment))?;
        let mut pip = workspace.command(environment.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        pip.args(["--no-deps", "--require-hashes", "--requirement"])
            .arg(&lock);
        run(&mut pip)
    })
}

/// Does `install` unless `stamp` says that this very lock file was installed before.
fn once(lock: &Path, stamp: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let wanted = fs::read(lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, wanted).with_context(|| format!("writing {}", stamp.display()))
}
