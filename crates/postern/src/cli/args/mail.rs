//! Commands on mail.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use postern_core::model::DeliveryState;

use super::{DkimArgs, HookCommand, StoreArgs};
use crate::mail::Preset;

/// `postern mail …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern mail provider add main --preset postmark --password-file token --from login@example.com --config postern.toml\n  postern mail test --to ada@example.com --config postern.toml\n  postern mail dkim create example.com --config postern.toml"
)]
pub(crate) enum MailCommand {
    /// SMTP servers that take our mail, tried in their order.
    #[command(subcommand)]
    Provider(ProviderCommand),
    /// Keys that sign our mails, and the DNS records that receivers check them by (DKIM).
    #[command(subcommand)]
    Dkim(DkimArgs),
    /// Callbacks by which providers tell what became of our mails.
    #[command(subcommand)]
    Hook(HookCommand),
    /// Send one mail through the first provider, to see that it arrives.
    #[command(
        after_help = "Example:\n  postern mail test --to ada@example.com --config postern.toml"
    )]
    Test {
        /// Who gets it.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern delivery …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern delivery list --state failed --config postern.toml\n  postern delivery show req_AZrO… --config postern.toml"
)]
pub(crate) enum DeliveryCommand {
    /// List the newest mails.
    #[command(
        after_help = "Examples:\n  postern delivery list --state failed --config postern.toml\n  postern delivery list --to ada@example.com --config postern.toml"
    )]
    List {
        /// Only those in this state.
        #[arg(long, value_parser = DeliveryState::ALL.map(DeliveryState::as_str))]
        state: Option<String>,
        /// Only those to this address.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// At most so many, 1 to 1000.
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        limit: usize,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Show what became of the mails of one request: every try, with provider, time and reply.
    #[command(after_help = "Example:\n  postern delivery show req_AZrO… --config postern.toml")]
    Show {
        /// The request (req_…, or the auth_request_id that send answered), or one mail (req_….0).
        id: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

/// `postern mail provider …`
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Examples:\n  postern mail provider list --config postern.toml\n  postern mail provider test main --to ada@example.com --config postern.toml\n  postern mail provider order second main --config postern.toml"
)]
pub(crate) enum ProviderCommand {
    /// Add a mail provider behind the others, or replace the one with this name.
    #[command(
        after_help = "Examples:\n  postern mail provider add main --host smtp.example.com --port 465 --tls implicit \\\n    --username postern --password-file /etc/postern/smtp.password --from 'Shop <login@example.com>' \\\n    --config postern.toml\n  postern mail provider add ses --preset ses --region eu-central-1 --rate 14/s \\\n    --username AKIA… --password-file ses.password --from login@example.com --config postern.toml\n  postern mail provider add m365 --preset microsoft365 --tenant example.com --client-id 11111111-… \\\n    --client-secret-file m365.secret --from login@example.com --config postern.toml\n  postern mail provider add own --host smtp.example.com --port 587 --tls starttls --username mailer \\\n    --token-url https://id.example.com/token --client-id postern --client-secret-file own.secret \\\n    --scope mail.send --from login@example.com --config postern.toml\n\nServers are believed that the system's certificate authorities vouch for. For an authority of your own, add it to the\nsystem's store, or start the Postern server with SSL_CERT_FILE naming its file."
    )]
    Add(Box<ProviderArgs>),
    /// List the providers in the order in which they are tried, without their passwords.
    #[command(after_help = "Example:\n  postern mail provider list --config postern.toml")]
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Send one mail through one provider, to see that it arrives.
    #[command(
        after_help = "Example:\n  postern mail provider test main --to ada@example.com --config postern.toml"
    )]
    Test {
        /// The provider's name.
        name: String,
        /// Who gets it.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Set the order in which providers are tried; those not named follow in theirs.
    #[command(
        after_help = "Example:\n  postern mail provider order ses main --config postern.toml"
    )]
    Order {
        /// Names, first to last.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a provider.
    #[command(after_help = "Example:\n  postern mail provider remove main --config postern.toml")]
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
    /// Take host, port and the like from a well-known provider; other flags override them.
    #[arg(long)]
    pub(crate) preset: Option<PresetArg>,
    /// The preset's region: any of Amazon's for ses; us or eu for sendgrid and mailgun.
    #[arg(long, requires = "preset")]
    pub(crate) region: Option<String>,
    /// Host name or address; needed without --preset, as are --port and --tls.
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// TCP port.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// How the connection is protected; `none` only to loopback.
    #[arg(long)]
    pub(crate) tls: Option<TlsArg>,
    /// The login name.
    #[arg(long)]
    pub(crate) username: Option<String>,
    /// A file that holds the password; `-` reads standard input. Without a username it is the name too.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Log in by XOAUTH2 with access tokens from this endpoint (client credentials grant).
    #[arg(
        long,
        value_name = "URL",
        requires = "client_id",
        conflicts_with = "password_file"
    )]
    pub(crate) token_url: Option<String>,
    /// The Microsoft 365 tenant, id or domain; with --preset microsoft365 instead of --token-url.
    #[arg(long, requires = "preset", conflicts_with = "token_url")]
    pub(crate) tenant: Option<String>,
    /// The client id for access tokens.
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    pub(crate) client_id: Option<String>,
    /// A file that holds the client secret; `-` reads standard input.
    #[arg(
        long,
        value_name = "FILE",
        requires = "client_id",
        conflicts_with = "password_file"
    )]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// The scope of the access tokens.
    #[arg(long, requires = "client_id")]
    pub(crate) scope: Option<String>,
    /// The sender, as mail headers write it: an address, or a name and an address in angle brackets.
    #[arg(long)]
    pub(crate) from: String,
    /// Where answers go, if not to the sender.
    #[arg(long, value_name = "SENDER")]
    pub(crate) reply_to: Option<String>,
    /// The most connections at a time, 1 to 256 [default: as many as `outbox.concurrency`].
    #[arg(long, value_name = "COUNT")]
    pub(crate) connections: Option<u16>,
    /// The most mails that this server hands it, such as 14/s or 30/min [default: no limit].
    #[arg(long, value_name = "COUNT/UNIT", value_parser = rate)]
    pub(crate) rate: Option<u32>,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// `14/s` or `30/min`, in mails a minute.
fn rate(text: &str) -> Result<u32, String> {
    let told = || format!("{text:?} is not a rate such as 14/s or 30/min");
    let (count, unit) = text.split_once('/').ok_or_else(told)?;
    let count: u32 = count.parse().map_err(|_| told())?;
    let in_minute = match unit {
        "s" => 60,
        "m" | "min" => 1,
        _ => return Err(told()),
    };
    count.checked_mul(in_minute).ok_or_else(told)
}

/// `--preset` of a mail provider.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum PresetArg {
    /// Twilio SendGrid.
    Sendgrid,
    /// Amazon SES; needs --region and an SMTP username.
    Ses,
    /// Postmark; the password is the server's API token.
    Postmark,
    /// Mailgun; needs the SMTP username.
    Mailgun,
    /// Resend; the password is the API key.
    Resend,
    /// Microsoft 365 by XOAUTH2; needs --tenant and --client-id.
    Microsoft365,
}

impl From<PresetArg> for Preset {
    fn from(typed: PresetArg) -> Self {
        match typed {
            PresetArg::Sendgrid => Self::Sendgrid,
            PresetArg::Ses => Self::Ses,
            PresetArg::Postmark => Self::Postmark,
            PresetArg::Mailgun => Self::Mailgun,
            PresetArg::Resend => Self::Resend,
            PresetArg::Microsoft365 => Self::Microsoft365,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_in_mails_a_minute() {
        assert_eq!((rate("14/s"), rate("30/min")), (Ok(840), Ok(30)));
        for wrong in ["14", "x/s", "1/h", "99999999/s"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
