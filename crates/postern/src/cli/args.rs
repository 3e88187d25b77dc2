//! The command line as it is typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What the exit codes mean, shown below every `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused or failed
  2  wrong usage
  3  the data directory is in use by another process
  4  the configuration is refused
  5  the address cannot be listened on";

/// Passwordless sign-in by e-mail, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "postern", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// Answer in JSON, for machines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Everything `postern` does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try it: everything made at first start, mails shown in an inbox page.
    #[command(
        after_help = "Examples:\n  postern dev\n  postern dev --tls --listen 127.0.0.1:8443\n  postern dev --listen 127.0.0.1:0 --data /tmp/postern"
    )]
    Dev(DevArgs),
    /// Run in production.
    #[command(
        after_help = "Examples:\n  postern serve --config /etc/postern/postern.toml\n  POSTERN_LOG_FILTER=debug postern serve --config postern.toml"
    )]
    Serve(ServeArgs),
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
    /// What is kept of one person.
    #[command(subcommand)]
    Address(AddressCommand),
    /// What an operator deploys.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document of the REST API.
    Openapi,
}

/// Flags of `postern dev`.
#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// Address and port; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// The data directory; made when missing, kept for the next start.
    #[arg(long, value_name = "DIR", default_value = "./postern-data")]
    pub(crate) data: PathBuf,
    /// Serve HTTPS with a certificate of a private CA, made in the data directory.
    #[arg(long)]
    pub(crate) tls: bool,
    /// Serve Prometheus metrics here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<SocketAddr>,
    /// Allow --listen on an address that others can reach. The inbox answers only this machine all the same.
    #[arg(long)]
    pub(crate) allow_remote: bool,
    /// Override one configuration key.
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
    /// Serve Prometheus metrics here.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) metrics: Option<String>,
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

/// `postern client …`
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Make a client; its secret is shown once.
    #[command(
        after_help = "Example:\n  postern client create 'Shop front end' --config postern.toml"
    )]
    Create {
        /// What to call it, 1 to 100 characters.
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the clients.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Make a new secret; the old one stays valid for the overlap.
    #[command(
        after_help = "Examples:\n  postern client rotate skc_… --config postern.toml\n  postern client rotate skc_… --overlap 0s --data ./postern-data"
    )]
    Rotate {
        /// The client's id.
        id: String,
        /// How long the old secret stays valid; 0s ends it at once.
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = crate::config::units::duration)]
        overlap: std::time::Duration,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// End a client: its secrets and its tokens stop within 2 s.
    Revoke {
        /// The client's id.
        id: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern settings …`
#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show all settings, or the named ones.
    Get {
        /// Names of settings.
        keys: Vec<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Change settings; judged as a whole, in force within 2 s.
    #[command(
        after_help = "Example:\n  postern settings set passwordless_type=LINK_OTP expires_in=600s --data ./postern-data"
    )]
    Set {
        /// The changes.
        #[arg(required = true, value_name = "KEY=VALUE")]
        changes: Vec<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Print all settings as KEY=VALUE lines that `import` reads.
    Export {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Read KEY=VALUE lines; what they do not name returns to its default.
    #[command(
        after_help = "Example:\n  postern settings export --data old | postern settings import - --data new"
    )]
    Import {
        /// The file; `-` reads standard input.
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern keys …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// The keys that sign access tokens.
    #[command(subcommand)]
    Signing(SigningCommand),
    /// The root secrets that every other key is derived from.
    #[command(subcommand)]
    Root(RootCommand),
}

/// `postern keys signing …`
#[derive(Debug, Subcommand)]
pub(crate) enum SigningCommand {
    /// Promote the standby key, and publish a new standby.
    Rotate {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the published keys.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern keys root …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "A rotation, each step on every node before the next:\n  postern keys root add --config postern.toml\n  postern keys root promote 2 --config postern.toml\n  postern keys root reseal --config postern.toml\n  postern keys root retire 1 --config postern.toml"
)]
pub(crate) enum RootCommand {
    /// Add a root that is accepted but does not issue yet; makes the keyring file when it is missing.
    Add {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Let a root issue from now on.
    Promote {
        /// The root's number.
        kid: u8,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Seal stored secrets anew under the current root.
    Reseal {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a root; refused while anything that is kept names it.
    Retire {
        /// The root's number.
        kid: u8,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the roots' numbers.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern mail …`
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// SMTP servers that take our mail.
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Send one mail through the provider, to see that it arrives.
    Test {
        /// Who gets it.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern mail provider …`
#[derive(Debug, Subcommand)]
pub(crate) enum ProviderCommand {
    /// Add a mail provider, or replace the one with this name.
    #[command(
        after_help = "Example:\n  postern mail provider add main --host smtp.example.com --port 465 --tls implicit \\\n    --username postern --password-file /etc/postern/smtp.password --from 'Shop <login@example.com>' --config postern.toml"
    )]
    Add(ProviderArgs),
    /// List the providers, without their passwords.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a provider.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// Flags of `postern mail provider add`.
#[derive(Debug, Args)]
pub(crate) struct ProviderArgs {
    /// What to call it.
    pub(crate) name: String,
    /// Host name or address.
    #[arg(long)]
    pub(crate) host: String,
    /// TCP port.
    #[arg(long)]
    pub(crate) port: u16,
    /// How the connection is protected; `none` only to loopback.
    #[arg(long)]
    pub(crate) tls: TlsArg,
    /// The login name.
    #[arg(long, requires = "password_file")]
    pub(crate) username: Option<String>,
    /// A file that holds the password; `-` reads standard input.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub(crate) password_file: Option<PathBuf>,
    /// The sender, as 'Name <address>' or an address.
    #[arg(long)]
    pub(crate) from: String,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// `--tls` of a mail provider.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum TlsArg {
    /// TLS from the first byte.
    Implicit,
    /// STARTTLS, required.
    Starttls,
    /// None.
    None,
}

impl TlsArg {
    /// The word that the mail provider keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::Starttls => "starttls",
            Self::None => "none",
        }
    }
}

/// `postern address …`
#[derive(Debug, Subcommand)]
pub(crate) enum AddressCommand {
    /// Erase what is kept of one address: requests, mails, events.
    Forget {
        /// The address.
        address: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern config …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether `postern serve` would start with this configuration.
    Check {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Print every key, its value and where it was typed; secrets are masked.
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
