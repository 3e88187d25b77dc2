//! `cargo xtask torture`: builds what is tortured and the torturer, and lets it run.

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::shell::{self, Workspace, step};
use crate::test::system;

/// What to torture.
#[derive(Args)]
pub(crate) struct Options {
    /// The store: `sqlite` (one node) or `postgres` (three nodes, a primary and a standby of the run's own).
    #[arg(long, default_value = "postgres")]
    engine: String,
    /// How long things are broken; the rest takes a minute more.
    #[arg(long, default_value = "1")]
    minutes: String,
    /// What is broken, and when.
    #[arg(long, default_value = "1")]
    seed: String,
    /// Torture the release build.
    #[arg(long)]
    release: bool,
}

/// Builds and runs; the verdict is the process's.
///
/// # Errors
/// Something cannot be had or does not build, cannot be started, or a promise was broken.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    step(
        "system packages: PostgreSQL, strace, libfaketime",
        system::ensure_for_torture,
    )?;
    step("build the server and what breaks it", || {
        // One after the other: together, the server would be built with what only tests may use.
        for package in ["postern", "postern-torture"] {
            let mut build = workspace.cargo(["build", "--locked", "-p", package]);
            shell::run(build.args(options.release.then_some("--release")))?;
        }
        Ok(())
    })?;
    let profile = if options.release { "release" } else { "debug" };
    let folder = workspace.target.join(profile);
    step("torture", || {
        let mut torture = torturer(&folder, options, "run");
        torture.args(["--engine", &options.engine, "--minutes", &options.minutes]);
        shell::run(torture.current_dir(&workspace.root))
    })?;
    if options.engine == "sqlite" {
        step("cut the power", || {
            shell::run(torturer(&folder, options, "power").current_dir(&workspace.root))
        })?;
    }
    Ok(())
}

/// The torturer, in a mount namespace of its own where that may be had: what it mounts ends with it.
fn torturer(folder: &Path, options: &Options, what: &str) -> Command {
    let program = folder.join("postern-torture");
    let namespaces: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    let found = namespaces
        .into_iter()
        .filter(|_| options.engine == "sqlite" && what == "run")
        .find(|flags| shell::succeeds(Command::new("unshare").args(*flags).arg("true")));
    let mut torture = if let Some(flags) = found {
        let mut unshare = Command::new("unshare");
        unshare.args(flags).arg(program).args([what, "--mounts"]);
        unshare
    } else {
        let mut torture = Command::new(program);
        torture.arg(what);
        torture
    };
    torture.arg("--binary").arg(folder.join("postern"));
    torture.args(["--seed", &options.seed]);
    torture
}
