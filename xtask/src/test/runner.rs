//! Building and running the tests with cargo, and counting what they say.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::Options;
use crate::shell::{Workspace, shown};

/// What the test binaries reported, added up.
#[derive(Default)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Whether cargo itself ended well: a test binary that dies prints no closing line.
    pub(crate) finished: bool,
}

/// The cargo command that builds (`only_build`) or runs what the options ask for.
pub(crate) fn command(workspace: &Workspace, options: &Options, only_build: bool) -> Command {
    let mut cargo = workspace.cargo(["test", "--locked"]);
    match &options.package {
        Some(package) => cargo.args(["--package", package]),
        None => cargo.arg("--workspace"),
    };
    if only_build {
        cargo.arg("--no-run");
    } else {
        cargo.arg("--no-fail-fast").args(&options.filter);
    }
    if options.full {
        if !only_build {
            cargo.args(["--", "--include-ignored"]);
        }
        // Not POSTERN_…: the server refuses variables of that prefix that it does not know.
        cargo.env("FULL_TESTS", "1");
    }
    cargo
}

/// Runs the tests, passing their output on as it comes.
///
/// # Errors
/// When cargo cannot be started; failing tests are in the tally.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<Tally> {
    let mut cargo = command(workspace, options, false);
    let started = cargo.stdout(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("starting {}", shown(&cargo)))?;
    let stdout = child.stdout.take().expect("standard output was asked for");
    let mut tally = Tally::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.context("reading what the tests print")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        tally.add(&line);
    }
    tally.finished = child.wait().context("waiting for cargo test")?.success();
    Ok(tally)
}

impl Tally {
    /// Takes one line into account if it closes a test binary's run:
    /// `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        self.passed += number_before(result, " passed");
        self.failed += number_before(result, " failed");
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before
        .rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_lines_of_every_test_binary_are_added_up() {
        let mut tally = Tally::default();
        tally.add("running 3 tests");
        tally.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s");
        tally.add("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.10s");
        assert_eq!((tally.passed, tally.failed), (15, 2));
    }
}
