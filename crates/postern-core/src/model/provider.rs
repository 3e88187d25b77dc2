use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{Sealed, Slot};

/// A mail provider: an SMTP server that takes our mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailProvider {
    /// The operator's name for it; 1 to 64 letters, digits, `-`, `_`, `.`.
    pub name: String,
    /// Its place in the order in which providers are tried, from 0.
    pub position: u16,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: TlsMode,
    /// The login name. Without one, a password that is there serves as the name too: some
    /// providers take their API token as both.
    pub username: Option<String>,
    /// The password, or with `oauth` the client secret, sealed in slot (`mail_providers`,
    /// `password`, name).
    pub password: Option<Sealed>,
    /// Where the login's access tokens come from; without it the login is by password.
    pub oauth: Option<TokenSource>,
    /// The sender, as `Name <address>` or a bare address.
    pub from: String,
    /// Where answers go, if not to the sender; `Name <address>` or a bare address.
    pub reply_to: Option<String>,
    /// The most connections at a time, 1 to 256; without it, as many as the outbox has.
    pub connections: Option<u16>,
    /// The most mails a minute that this process hands it, 1 to 600,000; without it, no limit.
    pub per_minute: Option<u32>,
}

/// Where access tokens for SMTP come from: the OAuth 2.0 client credentials grant (RFC 6749 §4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSource {
    /// The token endpoint; `https`, or `http` to loopback.
    pub url: String,
    /// The client id.
    pub client_id: String,
    /// The scope that is asked for, if one is needed.
    pub scope: Option<String>,
}

impl MailProvider {
    /// Tells one state of it from every other, but for its place in the order; nobody can read it.
    pub fn mark(&self) -> String {
        let password = self.password.as_ref();
        let password = password.map(|sealed| (sealed.kid, &sealed.bytes));
        let oauth = self.oauth.as_ref();
        let oauth = oauth.map(|source| (&source.url, &source.client_id, &source.scope));
        let whole = format!(
            "{:?}",
            (
                (&self.host, self.port, self.tls.as_str(), &self.username),
                (
                    &self.from,
                    &self.reply_to,
                    self.connections,
                    self.per_minute
                ),
                (password, oauth),
            )
        );
        let digest = digest::digest(&digest::SHA256, whole.as_bytes());
        URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
    }

    /// Where the password of the provider called `name` is sealed.
    pub fn password_slot(name: &str) -> Slot<'_> {
        Slot {
            table: "mail_providers",
            column: "password",
            id: name.as_bytes(),
        }
    }
}

/// How an SMTP connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// TLS from the first byte (port 465).
    Implicit,
    /// STARTTLS before anything is said; refused when the server does not offer it.
    StartTls,
    /// None; only to loopback.
    None,
}

impl TlsMode {
    /// The mode with this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "implicit" => Some(Self::Implicit),
            "starttls" => Some(Self::StartTls),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// The mode's name, as the command line takes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }
}
