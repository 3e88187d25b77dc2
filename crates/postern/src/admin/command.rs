use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::template_command::TemplateCommand;

/// What an admin may ask; the same over the socket and in the process of the command line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminCommand {
    /// Make a client.
    ClientCreate {
        /// Whether it is refused where a client of this name is there.
        #[serde(default)]
        only: bool,
        /// What to call it, 1 to 100 characters.
        name: String,
    },
    /// List the clients.
    ClientList,
    /// Give a client a new secret.
    ClientRotate {
        /// The client's id.
        id: String,
        /// How long the secrets before it stay valid; 0 ends them.
        overlap_seconds: u64,
        /// When its newest secret was made, as the caller saw it: in microseconds since 1970.
        #[serde(default)]
        seen: Option<i64>,
    },
    /// End a client.
    ClientRevoke {
        /// The client's id.
        id: String,
    },
    /// Show settings; all of them when none is named.
    SettingsGet {
        /// Names of settings.
        keys: Vec<String>,
    },
    /// Change some settings.
    SettingsSet {
        /// Name and value of each.
        changes: BTreeMap<String, String>,
    },
    /// Set the named settings, and all others to their defaults.
    SettingsImport {
        /// Name and value of each.
        values: BTreeMap<String, String>,
    },
    /// Promote the standby signing key and make a new standby.
    SigningRotate,
    /// Remove a published signing key at once, and with it every token that it signed.
    SigningDrop {
        /// Its name.
        kid: String,
    },
    /// List the published signing keys.
    SigningList,
    /// Seal stored secrets anew under the current root.
    RootReseal,
    /// Remove a root that nothing names any more.
    RootRetire {
        /// Its number.
        kid: u8,
    },
    /// Add or replace a mail provider.
    ProviderAdd(Box<NewProvider>),
    /// List the mail providers.
    ProviderList,
    /// Remove a mail provider.
    ProviderRemove {
        /// Its name.
        name: String,
    },
    /// Set the order in which mail providers are tried.
    ProviderOrder {
        /// Their names, first to last; those left out follow.
        names: Vec<String>,
    },
    /// Send one mail now.
    MailTest {
        /// Through which provider; the first when none is named.
        #[serde(default)]
        provider: Option<String>,
        /// Who gets it.
        to: String,
    },
    /// Take a mail provider's callbacks, verified with this.
    HookSet {
        /// `postmark`, `sendgrid`, `ses` or `mailgun`.
        provider: String,
        /// The secret, public key or topic.
        secret: Revealed,
    },
    /// List the providers whose callbacks are taken.
    HookList,
    /// Take a provider's callbacks no more.
    HookRemove {
        /// Its name.
        provider: String,
    },
    /// Work on the keys that sign mails.
    Dkim(DkimCommand),
    /// Show the suppression list, or what it says of one address.
    SuppressionList {
        /// The address; none shows all.
        address: Option<String>,
    },
    /// Put an address on the suppression list.
    SuppressionAdd {
        /// The address.
        address: String,
        /// For how long; none is until it is removed.
        for_seconds: Option<u64>,
        /// Why, for the list.
        note: String,
    },
    /// Take an address off the suppression list.
    SuppressionRemove {
        /// The address.
        address: String,
    },
    /// Show, change or try mail templates.
    Template(TemplateCommand),
    /// List the newest mails.
    DeliveryList(DeliveriesWanted),
    /// Show what became of the mails of one request.
    DeliveryShow {
        /// The request or one of its mails.
        id: String,
    },
    /// Look at everything that stands between a mail and its reader.
    Doctor {
        /// The DNS server to ask; the system's when none is named.
        dns: Option<std::net::SocketAddr>,
    },
    /// Erase what is kept of an address.
    AddressForget {
        /// The address.
        address: String,
    },
    /// Make a one-time URL that lets somebody into the dashboard.
    AdminInvite {
        /// Whom.
        email: String,
        /// `owner` or `viewer`; who is an admin already keeps their role.
        role: String,
    },
}

/// Which mails are listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveriesWanted {
    /// Only those in this state.
    pub state: Option<String>,
    /// Only those to this address.
    pub to: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// What may be done with the keys that sign mails.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DkimCommand {
    /// Make keys of a domain and show their DNS records.
    Create(NewDkim),
    /// Show the DNS records of a domain's keys.
    Show {
        /// The domain.
        domain: String,
        /// Only this key's.
        #[serde(default)]
        selector: Option<String>,
    },
    /// List the keys.
    List,
    /// Remove a key.
    Remove {
        /// Its domain.
        domain: String,
        /// Its selector.
        selector: String,
    },
}

/// DKIM keys as they are asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewDkim {
    /// The sender domain.
    pub domain: String,
    /// The selector, if not `postern`; of an Ed25519 key beside an RSA key `-ed25519` follows it.
    #[serde(default)]
    pub selector: Option<String>,
    /// `rsa` or `ed25519`; without one, a key of each.
    #[serde(default)]
    pub algorithm: Option<String>,
}

/// A mail provider as it is added.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewProvider {
    /// What to call it.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `implicit`, `starttls` or `none`.
    pub tls: String,
    /// The login name.
    pub username: Option<String>,
    /// The password, or with `oauth` the client secret.
    pub password: Option<Revealed>,
    /// Where access tokens come from, for a login by XOAUTH2.
    #[serde(default)]
    pub oauth: Option<NewTokenSource>,
    /// The sender.
    pub from: String,
    /// Where answers go.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The most connections at a time.
    #[serde(default)]
    pub connections: Option<u16>,
    /// The most mails a minute.
    #[serde(default)]
    pub per_minute: Option<u32>,
}

/// Where access tokens for SMTP come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTokenSource {
    /// The token endpoint.
    pub url: String,
    /// The client id.
    pub client_id: String,
    /// The scope, if one is needed.
    pub scope: Option<String>,
}

/// A secret on its one way from where it was made to the admin who asked for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revealed(Zeroizing<String>);

impl Revealed {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revealed(…)")
    }
}
