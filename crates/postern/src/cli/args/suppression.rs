//! `postern suppression …`

use clap::Subcommand;

use super::StoreArgs;

/// `postern suppression …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern suppression list --config postern.toml\n  postern suppression remove ada@example.com --config postern.toml"
)]
pub(crate) enum SuppressionCommand {
    /// Show the list, newest first, or what it says of one address.
    #[command(after_help = "Example:\n  postern suppression list --config postern.toml")]
    List {
        /// The address.
        address: Option<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Put an address on the list, until it is removed or for a while.
    #[command(
        after_help = "Example:\n  postern suppression add ada@example.com --for 7d --note 'asked for no mail' --config postern.toml"
    )]
    Add {
        /// The address.
        address: String,
        /// For how long.
        #[arg(long = "for", value_name = "DURATION", value_parser = crate::config::units::duration)]
        lasts: Option<std::time::Duration>,
        /// Why, for the list.
        #[arg(long, default_value = "")]
        note: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Take an address off the list.
    #[command(
        after_help = "Example:\n  postern suppression remove ada@example.com --config postern.toml"
    )]
    Remove {
        /// The address.
        address: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}
