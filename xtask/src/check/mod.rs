//! `cargo xtask check`: everything that a reviewer should not have to look for.

mod dependencies;
mod house;

use anyhow::{Result, bail};

use crate::generate;
use crate::shell::{Stopwatch, Workspace, run, step};

/// One check: its title, and what it does.
type Check = (&'static str, fn(&Workspace) -> Result<()>);

const CHECKS: [Check; 6] = [
    ("format: cargo fmt", |workspace| {
        run(&mut workspace.cargo(["fmt", "--all", "--check"]))
    }),
    ("house rules: sizes, names, words, lock files", house::check),
    (
        "dependencies: edges, bans, licences, duplicates",
        dependencies::check,
    ),
    ("lints: cargo clippy", lints),
    ("documentation: cargo doc", documentation),
    ("generated files: as committed", generate::compare),
];

/// Runs every check, also after one has failed, and names those that failed at the end.
///
/// # Errors
/// When a check fails.
pub(crate) fn run_all(workspace: &Workspace) -> Result<()> {
    let clock = Stopwatch::start();
    let failed: Vec<&str> = CHECKS
        .iter()
        .filter(|check| !passes(workspace, check))
        .map(|check| check.0)
        .collect();
    eprintln!(
        "cargo xtask check took {:.0} s",
        clock.elapsed().as_secs_f64()
    );
    if !failed.is_empty() {
        bail!(
            "{} of {} checks failed:\n  {}",
            failed.len(),
            CHECKS.len(),
            failed.join("\n  ")
        );
    }
    eprintln!("all {} checks hold", CHECKS.len());
    Ok(())
}

fn passes(workspace: &Workspace, (title, check): &Check) -> bool {
    let outcome = step(title, || check(workspace));
    if let Err(error) = &outcome {
        eprintln!("    {error:#}");
    }
    outcome.is_ok()
}

fn lints(workspace: &Workspace) -> Result<()> {
    run(&mut workspace.cargo([
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn documentation(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo([
        "doc",
        "--locked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}
