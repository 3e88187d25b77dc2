//! The developers' commands: `cargo xtask test`, `cargo xtask check`, `cargo xtask generate`.

mod check;
mod generate;
mod screenshots;
mod shell;
mod test;
mod torture;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::shell::Workspace;

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                      everything, as CI runs it
  cargo xtask test expired              the tests whose name contains `expired`
  cargo xtask test -p postern-core      one crate
  cargo xtask test --full               with the long runs (more kills, larger stores)
  cargo xtask torture --minutes 10      break servers under load (--engine sqlite|postgres, --seed N)
  cargo xtask check                     every check that is not a test
  cargo xtask generate                  write the generated files anew";

/// The developers' commands of Postern.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the tests need, build once, and run every test, doc tests included.
    Test(test::Options),
    /// Break running servers on purpose, under load, and check what they promised.
    Torture(torture::Options),
    /// Run every check that is not a test.
    Check,
    /// Write the generated files that are committed.
    Generate,
    /// Picture every page of the dashboard, light and dark, wide and narrow.
    Screenshots,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Workspace::locate().and_then(|workspace| match arguments.command {
        Some(Command::Test(options)) => test::run(&workspace, &options),
        Some(Command::Torture(options)) => torture::run(&workspace, &options),
        Some(Command::Check) => check::run_all(&workspace),
        Some(Command::Generate) => generate::write(&workspace),
        Some(Command::Screenshots) => screenshots::take(&workspace),
        None => Ok(Arguments::command().print_long_help()?),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
