//! `cargo xtask test`: from a fresh machine to the last doc test.

pub(crate) mod packages;
mod runner;
pub(crate) mod system;

use anyhow::{Result, bail};
use clap::Args;

use crate::shell::{self, Stopwatch, Workspace, step};

/// What to test.
#[derive(Args)]
pub(crate) struct Options {
    /// Only the tests whose name contains this.
    filter: Option<String>,
    /// Only this crate.
    #[arg(short, long)]
    package: Option<String>,
    /// Run the long versions too: more kills, larger stores (sets FULL_TESTS=1).
    #[arg(long)]
    full: bool,
}

/// Installs what is missing, builds, runs, and prints one total at the end.
///
/// # Errors
/// When a needed tool cannot be had, something does not build, a test fails, or none ran.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let clock = Stopwatch::start();
    step(
        "system packages: a C compiler, Node.js, Python, Postfix, PostgreSQL, pgbouncer, HAProxy, Prometheus, strace, Chromium",
        system::ensure,
    )?;
    step("the published Node SDK", || packages::node(workspace))?;
    step("the browser's driver and axe-core", || {
        packages::browser(workspace)
    })?;
    step("the published Python SDK", || packages::python(workspace))?;
    step("build the server and the tests", || {
        shell::run(&mut runner::command(workspace, options, true))
    })?;
    let tally = step("run the tests", || runner::run(workspace, options))?;
    eprintln!(
        "cargo xtask test took {:.0} s",
        clock.elapsed().as_secs_f64()
    );
    println!("{} passed, {} failed", tally.passed, tally.failed);
    tally.verdict()
}

impl runner::Tally {
    fn verdict(&self) -> Result<()> {
        if self.failed > 0 || !self.finished {
            bail!("some tests failed");
        }
        if self.passed == 0 {
            bail!("no test ran");
        }
        Ok(())
    }
}
