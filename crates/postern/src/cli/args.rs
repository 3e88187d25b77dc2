//! The command line as it is typed.

mod backup;
mod commands;
mod dkim;
mod hook;
mod mail;
mod stores;
mod suppression;
mod template;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub(super) use backup::{BackupArgs, RestoreArgs};
pub(super) use commands::{
    AddressCommand, AdminsCommand, ClientCommand, KeysCommand, RootCommand, SettingsCommand,
    SigningCommand,
};
pub(super) use dkim::DkimArgs;
pub(super) use hook::HookCommand;
pub(super) use mail::{DeliveryCommand, MailCommand, PresetArg, ProviderArgs, ProviderCommand};
pub(super) use stores::{CopyArgs, StoreCommand};
pub(super) use suppression::SuppressionCommand;
pub(super) use template::{Files as TemplateFiles, TemplateCommand, Which};

/// How it begins, and what the exit codes of every command mean.
const BELOW_HELP: &str = "\
Examples:
  postern dev
  postern client create 'Shop front end' --config postern.toml
  postern serve --config /etc/postern/postern.toml

Exit codes:
  0  done
  1  refused or failed
  2  wrong usage
  3  the data directory is in use by another process
  4  the configuration is refused
  5  the address cannot be listened on
  6  `doctor` found something that does not work";

/// An address, with port 53 where none is written.
fn dns_server(text: &str) -> Result<SocketAddr, String> {
    let bare = text.trim_matches(['[', ']']);
    let alone = bare.parse().map(|address| SocketAddr::new(address, 53));
    alone
        .or_else(|_| text.parse())
        .map_err(|_| "write an address such as 192.0.2.53 or 127.0.0.1:5353".to_owned())
}

/// Passwordless sign-in by e-mail, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 110, after_help = BELOW_HELP)]
pub(crate) struct Cli {
    /// Answer in JSON, for machines.
    #[arg(long, global = true, display_order = 900)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Everything `postern` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: everything made at first start, mails shown in an inbox page.
    #[command(
        after_help = "Examples:\n  postern dev\n  postern dev --tls --listen 127.0.0.1:8443\n  postern dev --listen 127.0.0.1:0 --data ./my-data"
    )]
    Dev(DevArgs),
    /// Run in production.
    #[command(
        after_help = "Examples:\n  postern serve --config /etc/postern/postern.toml\n  POSTERN_LOG_FILTER=debug postern serve --config postern.toml"
    )]
    Serve(ServeArgs),
    /// Bring the store's schema up to this release, while servers of the previous one may still run.
    #[command(
        after_help = "Examples:\n  postern migrate --config /etc/postern/postern.toml\n  postern migrate --database postgres://postern@db/postern"
    )]
    Migrate(MigrateArgs),
    /// Back up the store in a data directory, beside a running server or without one.
    #[command(
        after_help = "Examples:\n  postern backup /var/backups/postern --config /etc/postern/postern.toml\n  postern backup monday.backup --data ./postern-data"
    )]
    Backup(BackupArgs),
    /// Put a backup into a data directory that no server uses; what was open in it is ended.
    #[command(
        after_help = "Examples:\n  postern restore monday.backup --check --config postern.toml\n  postern restore monday.backup --config postern.toml\n  postern restore monday.backup --replace --data ./postern-data"
    )]
    Restore(RestoreArgs),
    /// Whole stores: from one engine to the other, and what to do about a fence or a restore.
    #[command(subcommand)]
    Store(StoreCommand),
    /// API clients: the ids and secrets that applications present.
    #[command(subcommand)]
    Client(ClientCommand),
    /// Settings that admins edit while the server runs.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Signing keys and root keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Mail providers, and a mail to try them.
    #[command(subcommand)]
    Mail(MailCommand),
    /// What the mails look like: custom templates by kind and language, with history.
    #[command(subcommand)]
    Template(TemplateCommand),
    /// What became of mails.
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Addresses that are sent no mail, because it bounced or an admin said so.
    #[command(subcommand)]
    Suppression(SuppressionCommand),
    /// Look at what stands between a mail and its reader: DNS, providers, clock, store, keys, public URL.
    #[command(
        after_help = "Examples:\n  postern doctor --config postern.toml\n  postern doctor --config postern.toml --dns 1.1.1.1 --json\n\nSends no mail. Exits with 0 when nothing failed (warnings may be there), with 6 when something did."
    )]
    Doctor {
        /// Ask this DNS server instead of the system's; port 53 unless another is given.
        #[arg(long, value_name = "ADDRESS[:PORT]", value_parser = dns_server)]
        dns: Option<SocketAddr>,
        /// Exit with 6 for warnings too.
        #[arg(long)]
        strict: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// What is kept of one person.
    #[command(subcommand)]
    Address(AddressCommand),
    /// Who may use the dashboard.
    #[command(subcommand)]
    Admin(AdminsCommand),
    /// Print a prompt that makes an AI assistant add sign-in to an app.
    #[command(after_help = "Example:\n  postern prompt node --url https://auth.example.com")]
    Prompt {
        /// What the app is written in.
        stack: crate::prompt::Stack,
        /// The server's URL.
        #[arg(long, default_value = "http://127.0.0.1:8080")]
        url: String,
    },
    /// What an operator deploys.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document of the REST API.
    #[command(after_help = "Example:\n  postern openapi > openapi.json")]
    Openapi,
}

/// Flags of `postern dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Address and port; port 0 takes a free one and prints it [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The data directory; made when missing, kept for the next start [default: ./postern-data].
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Serve HTTPS with a certificate of a private CA, made in the data directory.
    #[arg(long)]
    pub(crate) tls: bool,
    /// Serve Prometheus metrics here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Allow --listen on an address that others can reach. The inbox answers only this machine all the same.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Override one configuration key, or with settings.KEY=VALUE change a setting.
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Flags of `postern serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
    /// Address and port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The origin that applications and browsers use.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// The PostgreSQL that several nodes share.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) database: Option<String>,
    /// Serve Prometheus metrics here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<String>,
}

/// Flags of `postern migrate`.
#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The PostgreSQL that several nodes share.
    #[arg(long, value_name = "postgres://…")]
    pub(crate) database: Option<String>,
}

/// Where a configuration comes from.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Override one configuration key.
    #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Which store a command works on; the server may be running or not.
#[derive(Clone, Debug, Args)]
pub(crate) struct StoreArgs {
    /// The data directory of `postern dev` (default: ./postern-data, when it is there).
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file of `postern serve`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// `postern config …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern config check --config postern.toml\n  postern config print --config postern.toml"
)]
pub(crate) enum ConfigCommand {
    /// Say whether `postern serve` would start with this configuration.
    #[command(after_help = "Example:\n  postern config check --config postern.toml")]
    Check {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print every key, its value and where it was typed; secrets are masked.
    #[command(
        after_help = "Examples:\n  postern config print --config postern.toml\n  postern config print --set limits.connections=500"
    )]
    Print {
        /// The configuration file; without it, the defaults and the environment.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Override one configuration key.
        #[arg(long = "set", value_name = "TABLE.KEY=VALUE")]
        set: Vec<String>,
    },
    /// Print docs/configuration.md.
    #[command(hide = true)]
    Reference,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    /// Every command and every group of them, with the words that lead to it.
    fn walk(command: &clap::Command, words: &str, out: &mut Vec<(String, clap::Command)>) {
        let words = format!("{words} {}", command.get_name());
        let shown = command.get_subcommands().filter(|one| !one.is_hide_set());
        shown.for_each(|one| walk(one, &words, out));
        out.push((words, command.clone()));
    }

    #[test]
    fn every_command_shows_what_it_does_and_an_example() {
        let mut all = Vec::new();
        walk(&Cli::command(), "", &mut all);
        assert!(all.len() > 40, "{}", all.len());
        for (words, mut command) in all {
            let help = command.render_long_help().to_string();
            let group = command.get_subcommands().next().is_some();
            let begins = help.contains("Example") || (group && help.contains("\n  postern "));
            let example = begins && help.contains(words.trim());
            assert!(example && help.contains("Usage:"), "{words}: {help}");
        }
    }
}
