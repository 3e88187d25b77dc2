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
    /// The login name, where one is needed.
    pub username: Option<String>,
    /// The password, sealed in slot (`mail_providers`, `password`, name).
    pub password: Option<Sealed>,
    /// The sender, as `Name <address>` or a bare address.
    pub from: String,
}

impl MailProvider {
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
