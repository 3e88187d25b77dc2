//! `postern mail dkim …`

use clap::{Subcommand, ValueEnum};

use super::StoreArgs;

/// `postern mail dkim …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern mail dkim create example.com --config postern.toml\n  postern mail dkim show example.com --config postern.toml"
)]
pub(crate) enum DkimArgs {
    /// Make keys of a sender domain and print the DNS records to publish.
    ///
    /// From then on every mail from an address at that domain is signed with them. Receivers that do
    /// not find the records yet treat such a mail as unsigned.
    #[command(
        after_help = "Examples:\n  postern mail dkim create example.com --config postern.toml\n      an RSA key with selector `postern`, an Ed25519 key with selector `postern-ed25519`\n  postern mail dkim create example.com --selector mail2027 --algorithm rsa --config postern.toml\n      to replace a key: make another, publish its record, then remove the old one"
    )]
    Create {
        /// The domain behind the @ of the sender's address.
        domain: String,
        /// The selector [default: postern, or postern-ed25519].
        #[arg(long)]
        selector: Option<String>,
        /// How the key signs [default: a key of each].
        #[arg(long)]
        algorithm: Option<DkimAlgorithmArg>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Print the DNS records of a domain's keys, as lines of a zone file.
    #[command(after_help = "Example:\n  postern mail dkim show example.com --config postern.toml")]
    Show {
        /// The domain.
        domain: String,
        /// Only this key's.
        #[arg(long)]
        selector: Option<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the keys.
    #[command(after_help = "Example:\n  postern mail dkim list --config postern.toml")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a key: it signs no more.
    #[command(
        after_help = "Example:\n  postern mail dkim remove example.com mail2027 --config postern.toml"
    )]
    Remove {
        /// The domain.
        domain: String,
        /// The selector.
        selector: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `--algorithm` of a DKIM key.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DkimAlgorithmArg {
    /// RSA of 2048 bits: what every receiver knows.
    Rsa,
    /// Ed25519: short records; beside an RSA key, because not every receiver knows it.
    Ed25519,
}

impl DkimAlgorithmArg {
    /// The word that the key keeps.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}
