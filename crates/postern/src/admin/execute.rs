use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use postern_core::Error;
use postern_core::flow::{NewClient, Postern};
use postern_core::keyring::Keyring;
use postern_core::model::{ClientId, Email, Role, Snapshot, Timestamp};
use postern_core::ports::{Entropy, StoreError};
use postern_core::settings::Settings;

use super::audited;
use super::command::{AdminCommand, Revealed};
use super::reply::{AdminReply, NewSecret};
use super::shown;
use crate::mail;

/// Everything that executing a command needs.
pub struct Admin {
    /// The flows, on the store that the command works on.
    pub postern: Arc<Postern>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The roots in force, swapped when the file changes.
    pub keyring: Arc<ArcSwap<Keyring>>,
    /// The file that the roots are read from.
    pub root_keys_file: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// Whether the process that executes is the server on it.
    pub serving: bool,
    /// The file of the development inbox, which need not be there.
    pub inbox_file: PathBuf,
    /// The origin that browsers use, without a slash at the end.
    pub url: String,
}

/// Why a command was not done, for the person who typed it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

impl Admin {
    /// The same, with another name in the audit.
    #[must_use]
    pub fn acting(&self, actor: &str) -> Self {
        Self {
            postern: Arc::new(self.postern.acting(actor)),
            entropy: Arc::clone(&self.entropy),
            keyring: Arc::clone(&self.keyring),
            root_keys_file: self.root_keys_file.clone(),
            data: self.data.clone(),
            serving: self.serving,
            inbox_file: self.inbox_file.clone(),
            url: self.url.clone(),
        }
    }

    /// Executes one command. A change is durable, and in force in this process, when this returns.
    ///
    /// # Errors
    /// A sentence for the person who typed it; nothing was changed, unless it says otherwise.
    pub async fn execute(&self, command: AdminCommand) -> Result<AdminReply, Refusal> {
        let note = audited::note(&command);
        let reply = self.carry_out(command).await?;
        if let Some(note) = note {
            let noted = self
                .postern
                .note(note.action, note.target, note.before, note.after);
            noted.await?;
        }
        Ok(reply)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    async fn carry_out(&self, command: AdminCommand) -> Result<AdminReply, Refusal> {
        match command {
            AdminCommand::ClientCreate { name, only } => self.create_client(&name, only).await,
            AdminCommand::ClientList => {
                self.list(|held, now| AdminReply::Clients(shown::clients(held, now)))
                    .await
            }
            AdminCommand::ClientRotate {
                id,
                overlap_seconds,
                seen,
            } => self.rotate_client(&id, overlap_seconds, seen).await,
            AdminCommand::ClientRevoke { id } => self.revoke_client(id).await,
            AdminCommand::SettingsGet { keys } => self.settings(&keys).await,
            AdminCommand::SettingsSet { changes } => {
                self.change_settings(changes.into_iter().collect()).await
            }
            AdminCommand::SettingsImport { values } => {
                self.change_settings(over_defaults(values)).await
            }
            AdminCommand::SigningRotate => self.rotate_signing().await,
            AdminCommand::SigningDrop { kid } => self.drop_signing(kid).await,
            AdminCommand::SigningList => {
                self.list(|held, _| AdminReply::SigningKeys(shown::signing_keys(held)))
                    .await
            }
            AdminCommand::RootReseal => self.reseal().await,
            AdminCommand::RootRetire { kid } => self.retire_root(kid).await,
            AdminCommand::ProviderAdd(provider) => self.add_provider(*provider).await,
            AdminCommand::ProviderList => self.list_providers().await,
            AdminCommand::ProviderRemove { name } => self.remove_provider(name).await,
            AdminCommand::ProviderOrder { names } => self.order_providers(names).await,
            AdminCommand::MailTest { provider, to } => self.test_mail(provider, &to).await,
            AdminCommand::HookSet { provider, secret } => self.set_hook(&provider, &secret).await,
            AdminCommand::HookList => self.hooks().await,
            AdminCommand::HookRemove { provider } => self.remove_hook(provider).await,
            AdminCommand::Dkim(command) => self.dkim(command).await,
            AdminCommand::SuppressionList { address } => {
                self.suppressions(address.as_deref()).await
            }
            AdminCommand::SuppressionAdd {
                address,
                for_seconds,
                note,
            } => self.suppress(&address, for_seconds, &note).await,
            AdminCommand::SuppressionRemove { address } => self.unsuppress(address).await,
            AdminCommand::Template(command) => self.templates(command).await,
            AdminCommand::DeliveryList(wanted) => self.list_deliveries(wanted).await,
            AdminCommand::DeliveryShow { id } => self.show_deliveries(&id).await,
            AdminCommand::Doctor { dns } => self.examine(dns).await,
            AdminCommand::AddressForget { address } => self.forget(&address).await,
            AdminCommand::AdminInvite { email, role } => self.invite(&email, &role).await,
        }
    }

    async fn create_client(&self, name: &str, only: bool) -> Result<AdminReply, Refusal> {
        let made = if only {
            self.postern.create_only_client(name).await?
        } else {
            self.postern.create_client(name).await?
        };
        Ok(AdminReply::ClientCreated(self.new_secret(&made)))
    }

    async fn rotate_client(
        &self,
        id: &str,
        overlap_seconds: u64,
        seen: Option<i64>,
    ) -> Result<AdminReply, Refusal> {
        let seen = seen.map(Timestamp::from_micros);
        let overlap = Duration::from_secs(overlap_seconds);
        let made = self
            .postern
            .rotate_client(&client_id(id)?, overlap, seen)
            .await?;
        Ok(AdminReply::ClientRotated(self.new_secret(&made)))
    }

    async fn revoke_client(&self, id: String) -> Result<AdminReply, Refusal> {
        self.postern.revoke_client(&client_id(&id)?).await?;
        Ok(AdminReply::ClientRevoked { id })
    }

    async fn invite(&self, email: &str, role: &str) -> Result<AdminReply, Refusal> {
        let role = Role::parse(role).ok_or_else(|| Refusal(format!("{role:?} is not a role")))?;
        let token = self.postern.invite_admin(email, role).await?;
        let url = format!("{}/dashboard/invite?token={}", self.url, token.expose());
        Ok(AdminReply::AdminInvited {
            url: Revealed::new(url),
        })
    }

    async fn forget(&self, address: &str) -> Result<AdminReply, Refusal> {
        let address = parse_address(address)?;
        let removed = self.postern.store().forget_address(&address).await?;
        let file = self.inbox_file.clone();
        let mails = tokio::task::spawn_blocking(move || mail::inbox::forget(&file, &address)).await;
        let mails = mails
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Refusal("the development inbox could not be emptied".to_owned()))?;
        Ok(AdminReply::Forgotten {
            removed: removed + mails,
        })
    }

    pub(super) async fn list(
        &self,
        show: impl FnOnce(&Snapshot, Timestamp) -> AdminReply,
    ) -> Result<AdminReply, Refusal> {
        let held = self.now_held().await?;
        Ok(show(&held, self.postern.now()))
    }

    /// The registry as it is at this moment.
    pub(super) async fn now_held(&self) -> Result<Arc<Snapshot>, Refusal> {
        self.postern.refresh().await?;
        Ok(self.postern.snapshot())
    }

    fn new_secret(&self, made: &NewClient) -> NewSecret {
        let snapshot = self.postern.snapshot();
        let client = snapshot.clients.get(&made.id);
        let earlier = client.and_then(|client| client.secrets.get(1)?.expires_at);
        NewSecret {
            id: made.id.to_string(),
            name: client.map(|client| client.name.clone()).unwrap_or_default(),
            secret: Revealed::new(made.secret.expose().to_owned()),
            earlier_secrets_end_at: earlier.map(shown::rfc3339),
        }
    }

    async fn settings(&self, keys: &[String]) -> Result<AdminReply, Refusal> {
        let held = self.now_held().await?;
        if keys.is_empty() {
            return Ok(AdminReply::Settings(owned(held.settings.entries())));
        }
        let one = |key: &String| {
            let value = held
                .settings
                .value(key)
                .ok_or_else(|| Refusal(format!("there is no setting {key:?}")))?;
            Ok((key.clone(), value))
        };
        Ok(AdminReply::Settings(
            keys.iter().map(one).collect::<Result<_, Refusal>>()?,
        ))
    }

    async fn change_settings(&self, changes: Vec<(String, String)>) -> Result<AdminReply, Refusal> {
        let names: Vec<_> = changes.iter().map(|(name, _)| name.clone()).collect();
        let after = self.postern.change_settings(changes).await?;
        let told = owned(after.entries())
            .into_iter()
            .filter(|(name, _)| names.contains(name));
        Ok(AdminReply::SettingsChanged(told.collect()))
    }
}

/// Every setting: as named, else its default.
fn over_defaults(values: std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    let mut all: std::collections::BTreeMap<_, _> =
        owned(Settings::default().entries()).into_iter().collect();
    all.extend(values);
    all.into_iter().collect()
}

fn owned(entries: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn client_id(text: &str) -> Result<ClientId, Refusal> {
    ClientId::parse(text).ok_or_else(|| Refusal(format!("{text:?} is not a client id")))
}

pub(super) fn parse_address(text: &str) -> Result<Email, Refusal> {
    Email::parse(text).map_err(|problem| Refusal(format!("{text:?} is not an address: {problem}")))
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(with_sources(&error))
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self(with_sources(&error))
    }
}

/// An error with what lies under it, in one line: the admin is the one who reads our logs.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(": ");
        line.push_str(&source.to_string());
        next = source.source();
    }
    line
}
