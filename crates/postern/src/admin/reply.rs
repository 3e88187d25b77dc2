use serde::{Deserialize, Serialize};

use super::command::Revealed;
use super::deliveries::{DeliveryRow, DeliveryTold};
use super::template_command::TemplateText;
use super::template_reply::{
    FindingRow, TemplateRow, TemplateSaved, TemplateShown, TemplateVersionRow,
};
use crate::doctor::Report;

/// What a command answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdminReply {
    /// A client was made.
    ClientCreated(NewSecret),
    /// The clients, oldest first.
    Clients(Vec<ClientRow>),
    /// A client has a new secret.
    ClientRotated(NewSecret),
    /// A client was ended.
    ClientRevoked {
        /// Its id.
        id: String,
    },
    /// Settings, name and value, in the order of the registry.
    Settings(#[serde(with = "in_order")] Vec<(String, String)>),
    /// Settings that are different now, name and value.
    SettingsChanged(#[serde(with = "in_order")] Vec<(String, String)>),
    /// The signing keys, oldest first.
    SigningKeys(Vec<SigningKeyRow>),
    /// A root was removed.
    RootRetired {
        /// Its number.
        kid: u8,
    },
    /// Secrets were sealed anew.
    Resealed {
        /// How many.
        resealed: usize,
    },
    /// A mail provider was added or replaced.
    ProviderAdded {
        /// Its name.
        name: String,
        /// Whether this is a development server, whose mails went to its inbox alone before there
        /// was a provider.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        development: bool,
    },
    /// The mail providers, in the order in which they are tried.
    Providers(Vec<ProviderRow>),
    /// A mail provider was removed.
    ProviderRemoved {
        /// Its name.
        name: String,
    },
    /// The test mail was taken by the next server.
    MailSent {
        /// What that server said.
        reply: String,
        /// The whole dialogue, without what belongs to the login.
        #[serde(default)]
        dialogue: Vec<String>,
    },
    /// The test mail was not taken.
    MailRefused {
        /// Why, in a sentence.
        reason: String,
        /// What to look at first; empty when nothing is to be done.
        #[serde(default)]
        advice: String,
        /// The dialogue as far as it went, without what belongs to the login.
        dialogue: Vec<String>,
    },
    /// A provider's callbacks are taken at this path.
    HookSet {
        /// The path under the public URL.
        path: String,
    },
    /// The providers whose callbacks are taken, and their paths.
    Hooks(Vec<HookRow>),
    /// A provider's callbacks are taken no more.
    HookRemoved {
        /// The provider.
        provider: String,
    },
    /// DKIM keys whose DNS records are to be published.
    DkimRecords(Vec<DkimRow>),
    /// The DKIM keys, by domain.
    DkimKeys(Vec<DkimRow>),
    /// A DKIM key was removed.
    DkimRemoved {
        /// The name of its DNS record.
        name: String,
    },
    /// The suppression list, newest first, and whether there is more than is shown.
    Suppressions {
        /// The one address that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The entries.
        entries: Vec<SuppressionRow>,
        /// Whether there are older ones.
        more: bool,
    },
    /// An address is on the suppression list.
    Suppressed(SuppressionRow),
    /// An address was taken off the suppression list.
    Unsuppressed {
        /// The address.
        address: String,
    },
    /// Every kind of mail, and what is in force of it.
    Templates(Vec<TemplateRow>),
    /// A template's source.
    Template(Box<TemplateShown>),
    /// The versions of a template, newest first.
    TemplateHistory(Vec<TemplateVersionRow>),
    /// What lint says of a template, errors first.
    TemplateLinted {
        /// What it found.
        findings: Vec<FindingRow>,
    },
    /// A version was saved.
    TemplateSaved(TemplateSaved),
    /// What is in force now.
    TemplateUsed(TemplateRow),
    /// A template filled with samples.
    TemplatePreviewed(Box<TemplateText>),
    /// An invitation was made.
    AdminInvited {
        /// Lets its person in, once, within an hour.
        url: Revealed,
    },
    /// Mails, newest first.
    Deliveries(Vec<DeliveryRow>),
    /// The mails of a request, oldest first, with what happened to them.
    DeliveriesTold(Vec<DeliveryTold>),
    /// What was found of what stands between a mail and its reader.
    Examined(Report),
    /// An address was erased.
    Forgotten {
        /// How many rows went.
        removed: u64,
    },
}

/// A client and the secret that was just made for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewSecret {
    /// The client's id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The secret, shown this once.
    pub secret: Revealed,
    /// When the secrets before it end, RFC 3339; absent for a new client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earlier_secrets_end_at: Option<String>,
}

/// A provider whose callbacks are taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HookRow {
    /// Its name.
    pub provider: String,
    /// The path under the public URL.
    pub path: String,
}

/// A DKIM key: its public half.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DkimRow {
    /// The sender domain.
    pub domain: String,
    /// Which of the domain's keys.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: String,
    /// The name of its DNS record.
    pub name: String,
    /// The text of that TXT record.
    pub record: String,
    /// Both as a line of a zone file.
    pub zone_line: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// An entry of the suppression list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuppressionRow {
    /// The address.
    pub address: String,
    /// `bounced`, `complained` or `manual`.
    pub reason: String,
    /// What was said.
    pub detail: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// Until when, RFC 3339; absent while it is until it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A client as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientRow {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Its secrets that are valid, newest first.
    pub secrets: Vec<ClientSecretRow>,
}

/// A client's secret as it is listed: its times.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClientSecretRow {
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends, RFC 3339; absent while it is the newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// A signing key as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningKeyRow {
    /// Its id.
    pub kid: String,
    /// `standby`, `active` or `retired`.
    pub state: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// A mail provider as it is listed, without its password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProviderRow {
    /// What it is called.
    pub name: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `implicit`, `starttls` or `none`.
    pub tls: String,
    /// The well-known provider that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// How it is logged in to: `password`, `xoauth2` or `none`.
    #[serde(default)]
    pub login: String,
    /// The login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Where access tokens come from, when the login is by XOAUTH2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<String>,
    /// The sender.
    pub from: String,
    /// Where answers go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The most connections at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<u16>,
    /// The most mails a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
}

/// Pairs as a JSON object that keeps their order.
mod in_order {
    use std::fmt;

    use serde::de::{Deserializer, MapAccess, Visitor};
    use serde::ser::Serializer;

    type Pairs = Vec<(String, String)>;

    pub(super) fn serialize<S: Serializer>(
        pairs: &[(String, String)],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_map(pairs.iter().map(|(key, value)| (key, value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Pairs, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        input.deserialize_map(InOrder)
    }
}
