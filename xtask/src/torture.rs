//! `cargo xtask torture`: builds what is tortured and the torturer, and lets it run.

use anyhow::Result;
use clap::Args;

use crate::shell::{self, Workspace, step};

/// What to torture.
#[derive(Args)]
pub(crate) struct Options {
    /// The store: `sqlite` (one node) or `postgres` (three nodes on a database of the run's own).
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
/// Something does not build, cannot be started, or a promise was broken.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let release = options.release.then_some("--release");
    step("build the server and what breaks it", || {
        let mut build = workspace.cargo([
            "build",
            "--locked",
            "-p",
            "postern",
            "-p",
            "postern-torture",
        ]);
        shell::run(build.args(release))
    })?;
    let folder = workspace
        .target
        .join(if options.release { "release" } else { "debug" });
    step("torture", || {
        let mut torture = workspace.command(folder.join("postern-torture"));
        torture.arg("--binary").arg(folder.join("postern"));
        torture.args(["--engine", &options.engine, "--minutes", &options.minutes]);
        shell::run(torture.args(["--seed", &options.seed]))
    })
}
