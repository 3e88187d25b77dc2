//! The command line: what was typed becomes a command, its answer becomes lines or JSON.

mod admin;
mod args;
mod backup;
mod config;
mod copy;
mod delivery;
mod dev;
mod dkim;
mod doctor;
mod exit;
mod hook;
mod mail;
mod migrate;
mod progress;
mod serve;
mod show;
mod store;
mod suppression;
mod template;
mod walk;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command, ConfigCommand};
pub use exit::{Code, Failure};

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command, cli.json) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(cli.json),
    }
}

fn run(command: Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::Dev(dev) => dev::run(&dev, json),
        Command::Serve(serve) => serve::run(&serve),
        Command::Config(ConfigCommand::Check { config }) => config::check(&config, json),
        Command::Config(ConfigCommand::Print { config, set }) => {
            config::print(config.as_deref(), &set, json)
        }
        Command::Config(ConfigCommand::Reference) => {
            show::text(&crate::config::reference::markdown())
        }
        Command::Openapi => show::text(&crate::openapi::openapi_json()),
        Command::Migrate(migrate) => migrate::run(&migrate, json),
        Command::Store(command) => copy::run(command, json),
        Command::Backup(args) => backup::take(&args, json),
        Command::Restore(args) => backup::restore(&args, json),
        Command::Client(command) => admin::client(command, json),
        Command::Settings(command) => admin::settings(command, json),
        Command::Keys(command) => admin::keys(command, json),
        Command::Mail(command) => mail::run(command, json),
        Command::Template(command) => template::run(command, json),
        Command::Delivery(command) => delivery::run(command, json),
        Command::Suppression(command) => suppression::run(command, json),
        Command::Doctor { dns, strict, store } => doctor::run(dns, strict, &store, json),
        Command::Address(command) => admin::address(command, json),
        Command::Admin(command) => admin::admins(command, json),
        Command::Prompt { stack, url } => {
            let prompt = crate::prompt::prompt(stack, &url);
            if json {
                return show::json(&serde_json::json!({ "prompt": prompt }));
            }
            show::text(&prompt)
        }
    }
}
