//! Commands on a store.

use std::path::PathBuf;

use clap::Subcommand;

use super::StoreArgs;

/// `postern client …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern client create 'Shop front end' --config postern.toml\n  postern client list --config postern.toml"
)]
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
    #[command(after_help = "Example:\n  postern client list --config postern.toml")]
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
    #[command(after_help = "Example:\n  postern client revoke skc_… --config postern.toml")]
    Revoke {
        /// The client's id.
        id: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern settings …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern settings get --config postern.toml\n  postern settings set passwordless_type=LINK_OTP expires_in=600s --config postern.toml"
)]
pub(crate) enum SettingsCommand {
    /// Show all settings, or the named ones.
    #[command(
        after_help = "Examples:\n  postern settings get --data ./postern-data\n  postern settings get expires_in code_length --config postern.toml"
    )]
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
    #[command(
        after_help = "Example:\n  postern settings export --config postern.toml > settings.txt"
    )]
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
#[command(
    after_help = "Examples:\n  postern keys signing list --config postern.toml\n  postern keys root list --config postern.toml"
)]
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
#[command(
    after_help = "When a private signing key may be in other hands:\n  postern keys signing rotate --config postern.toml\n  postern keys signing drop snk_… --config postern.toml"
)]
pub(crate) enum SigningCommand {
    /// Promote the standby key, and publish a new standby.
    #[command(after_help = "Example:\n  postern keys signing rotate --config postern.toml")]
    Rotate {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a key at once: every token that it signed ends within 2 seconds. Not the active one.
    #[command(after_help = "Example:\n  postern keys signing drop snk_… --config postern.toml")]
    Drop {
        /// Its name, as listed: `snk_…`.
        kid: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the published keys.
    #[command(after_help = "Example:\n  postern keys signing list --config postern.toml")]
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
    #[command(after_help = "Example:\n  postern keys root add --config postern.toml")]
    Add {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Let a root issue from now on.
    #[command(after_help = "Example:\n  postern keys root promote 2 --config postern.toml")]
    Promote {
        /// The root's number.
        kid: u8,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Seal stored secrets anew under the current root.
    #[command(after_help = "Example:\n  postern keys root reseal --config postern.toml")]
    Reseal {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a root; refused while anything that is kept names it.
    #[command(after_help = "Example:\n  postern keys root retire 1 --config postern.toml")]
    Retire {
        /// The root's number.
        kid: u8,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the roots' numbers.
    #[command(after_help = "Example:\n  postern keys root list --config postern.toml")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern address …`
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  postern address forget ada@example.com --config postern.toml")]
pub(crate) enum AddressCommand {
    /// Erase what is kept of one address: requests, mails, events.
    #[command(
        after_help = "Example:\n  postern address forget ada@example.com --config postern.toml"
    )]
    Forget {
        /// The address.
        address: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern admin …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Example:\n  postern admin invite ada@example.com --config /etc/postern/postern.toml"
)]
pub(crate) enum AdminsCommand {
    /// Print a one-time URL that lets somebody in: the first owner, or who cannot get mail.
    #[command(
        after_help = "Example:\n  postern admin invite ada@example.com --config /etc/postern/postern.toml"
    )]
    Invite {
        /// Their address.
        email: String,
        /// What they may do; who is an admin already keeps their role.
        #[arg(long, default_value = "owner", value_parser = ["owner", "viewer"])]
        role: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}
