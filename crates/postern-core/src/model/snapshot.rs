use std::collections::HashMap;

use super::{
    AdminAccount, Client, ClientId, DkimKey, Email, HookProvider, MailHook, MailProvider,
    SigningKey, TemplateHead, TemplateKey,
};
use crate::settings::Settings;

/// What every node holds in memory of the store's slow-moving part; at most 2 s old.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Grows with every change of anything below.
    pub revision: u64,
    /// What admins edit.
    pub settings: Settings,
    /// The API clients that may call.
    pub clients: HashMap<ClientId, Client>,
    /// The mail providers, in the order in which they are tried.
    pub providers: Vec<MailProvider>,
    /// What the callbacks of mail providers are verified with.
    pub hooks: Vec<MailHook>,
    /// What mails are signed with, by domain and, of one domain, in the order in which they were
    /// made.
    pub dkim_keys: Vec<DkimKey>,
    /// The signing keys that are published, in the order in which they were made.
    pub signing_keys: Vec<SigningKey>,
    /// Who may use the dashboard, in the order of their addresses.
    pub admins: Vec<AdminAccount>,
    /// The custom mail templates, without their sources, in the order of their keys.
    pub templates: Vec<TemplateHead>,
}

impl Snapshot {
    /// What the callbacks of a provider are verified with, if it may call.
    pub fn hook(&self, provider: HookProvider) -> Option<&MailHook> {
        self.hooks.iter().find(|hook| hook.provider == provider)
    }

    /// The keys that sign mails from this domain (ASCII, lower case), oldest first.
    pub fn dkim_keys_of<'a>(&'a self, domain: &'a str) -> impl Iterator<Item = &'a DkimKey> {
        self.dkim_keys
            .iter()
            .filter(move |key| key.domain == domain)
    }

    /// What is known of a custom template, if there ever was one.
    pub fn template(&self, key: &TemplateKey) -> Option<&TemplateHead> {
        self.templates.iter().find(|head| head.key == *key)
    }

    /// The admin with this address, in any spelling that compares as the same.
    pub fn admin(&self, email: &Email) -> Option<&AdminAccount> {
        self.admins
            .iter()
            .find(|admin| admin.email.normal() == email.normal())
    }
}
