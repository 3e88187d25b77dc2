//! `postern mail hook …`

use std::path::PathBuf;

use clap::Subcommand;

use super::StoreArgs;

/// `postern mail hook …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern mail hook set sendgrid --secret-file sendgrid.key --config postern.toml\n  postern mail hook list --config postern.toml\n\nWhat to put into the file:\n  postmark  NAME:PASSWORD, as in the URL given to Postmark: https://NAME:PASSWORD@auth.example.com/hooks/mail/postmark\n  sendgrid  the verification key of the signed event webhook\n  mailgun   the HTTP webhook signing key of the account\n  ses       the ARN of the SNS topic, whose attribute SignatureVersion is 2"
)]
pub(crate) enum HookCommand {
    /// Take a provider's callbacks, verified with what is in a file.
    #[command(
        after_help = "Example:\n  postern mail hook set sendgrid --secret-file sendgrid.key --config postern.toml"
    )]
    Set {
        /// postmark, sendgrid, ses or mailgun.
        provider: String,
        /// A file that holds the secret, public key or topic; `-` reads standard input.
        #[arg(long, value_name = "FILE")]
        secret_file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List the providers whose callbacks are taken.
    #[command(after_help = "Example:\n  postern mail hook list --config postern.toml")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Take a provider's callbacks no more.
    #[command(after_help = "Example:\n  postern mail hook remove sendgrid --config postern.toml")]
    Remove {
        /// Its name.
        provider: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}
