//! Root keys and signing keys.

use std::sync::Arc;
use std::time::Duration;

use postern_core::Error;
use postern_core::keyring::{Keyring, SealProblem};
use postern_core::model::{
    DkimKey, MailHook, MailProvider, Sealed, SigningKey, SigningState, Slot, Snapshot,
};
use postern_core::ports::{Amendment, Entropy, random};

use super::execute::{Admin, Refusal};
use super::reply::AdminReply;
use super::shown;
use crate::oauth::keys;
use crate::root_keys::{Hold, RootKeys, RootKeysError};
use crate::world::SystemEntropy;

/// From how long after a change of the keyring file on every node has taken it up, and the calls
/// that began before have ended.
const SETTLED: Duration = Duration::from_secs(4);

impl Admin {
    /// Promotes the standby, retires the active key, publishes a new standby and drops outlived keys.
    pub(super) async fn rotate_signing(&self) -> Result<AdminReply, Refusal> {
        let fresh = self.new_standby().await?;
        let amend = move |held: &Snapshot, now| {
            let mut amendments = keys::rotate(held, fresh.clone(), now);
            amendments.extend(keys::outlived(held, now));
            Ok(amendments)
        };
        let after = self.postern.amend(Box::new(amend)).await?;
        Ok(AdminReply::SigningKeys(shown::signing_keys(&after)))
    }

    /// Stops publishing a signing key, for one that somebody else may hold: every node refuses its
    /// tokens within two seconds. The one that signs has to be rotated first; a standby is replaced.
    pub(super) async fn drop_signing(&self, kid: String) -> Result<AdminReply, Refusal> {
        let fresh = self.new_standby().await?;
        let amend = move |held: &Snapshot, _| keys::drop(held, &kid, fresh.clone());
        let after = self.postern.amend(Box::new(amend)).await?;
        Ok(AdminReply::SigningKeys(shown::signing_keys(&after)))
    }

    async fn new_standby(&self) -> Result<SigningKey, Refusal> {
        let (keyring, entropy, now) = (
            self.postern.keyring(),
            Arc::clone(&self.entropy),
            self.postern.now(),
        );
        let making = move || keys::make(SigningState::Standby, &keyring, &*entropy, now);
        let standby = tokio::task::spawn_blocking(making).await;
        let standby = standby.ok().and_then(Result::ok);
        standby.ok_or_else(|| Refusal("no signing key could be made".to_owned()))
    }

    /// Seals what the registry holds under an older root anew, in one commit.
    pub(super) async fn reseal(&self) -> Result<AdminReply, Refusal> {
        self.take_up_roots()?;
        let (keyring, entropy) = (self.postern.keyring(), Arc::clone(&self.entropy));
        let (tell, told) = std::sync::mpsc::channel();
        let amend = move |held: &Snapshot, _| {
            let amendments = resealed(held, &keyring, &*entropy).map_err(|problem| {
                Error::invalid(
                    "root",
                    "opens",
                    format!("a stored secret does not open: {problem}"),
                )
            })?;
            // The last call is the one that is written; the receiver outlives the act.
            let _ = tell.send(amendments.len());
            Ok(amendments)
        };
        self.postern.amend(Box::new(amend)).await?;
        Ok(AdminReply::Resealed {
            resealed: told.try_iter().last().unwrap_or(0),
        })
    }

    /// Removes a root from the keyring file, unless something kept still names it.
    ///
    /// Calls that began while it was current may still commit: what is kept is asked once the file
    /// has settled and this node opens nothing under the root any more. The file changes last.
    pub(super) async fn retire_root(&self, kid: u8) -> Result<AdminReply, Refusal> {
        let file = self.root_keys_file.clone();
        let held = tokio::task::spawn_blocking(move || Hold::take(&file)).await;
        let _hold = held.map_err(|_| Refusal("the root keys could not be held".to_owned()))??;
        let mut roots = RootKeys::read(&self.root_keys_file)?;
        roots.retire(kid)?;
        self.take_up_roots()?;
        self.refuse_in_use(kid).await?;
        tokio::time::sleep(self.unsettled()).await;
        self.put_in_force(&roots)?;
        let unused = self.refuse_in_use(kid).await;
        let done = unused.and_then(|()| Ok(roots.write(&self.root_keys_file)?));
        if done.is_err() {
            self.take_up_roots()?;
        }
        done?;
        Ok(AdminReply::RootRetired { kid })
    }

    async fn refuse_in_use(&self, kid: u8) -> Result<(), Refusal> {
        if self.postern.store().kids_in_use().await?.contains(&kid) {
            return Err(Refusal(format!(
                "root key {kid} is still named by what is kept: run `postern keys root reseal`, then wait until the \
                 auth requests that it issued have been swept"
            )));
        }
        Ok(())
    }

    /// How long until the keyring file has been the same for [`SETTLED`].
    fn unsettled(&self) -> Duration {
        let changed = std::fs::metadata(&self.root_keys_file).and_then(|file| file.modified());
        let age = changed.ok().and_then(|changed| changed.elapsed().ok());
        SETTLED.saturating_sub(age.unwrap_or_default())
    }

    fn take_up_roots(&self) -> Result<(), Refusal> {
        self.put_in_force(&RootKeys::read(&self.root_keys_file)?)
    }

    fn put_in_force(&self, roots: &RootKeys) -> Result<(), Refusal> {
        let keyring = roots
            .keyring()
            .map_err(|problem| Refusal(problem.to_string()))?;
        self.keyring.store(Arc::new(keyring));
        Ok(())
    }
}

/// Whether everything sealed in a registry opens under a keyring: one made anew has the numbers of the
/// one before.
///
/// # Errors
/// Something does not.
pub fn opens(held: &Snapshot, keyring: &Keyring) -> Result<(), SealProblem> {
    resealed(held, keyring, &SystemEntropy).map(drop)
}

fn resealed(
    held: &Snapshot,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<Vec<Amendment>, SealProblem> {
    let again = |slot: &Slot<'_>, sealed: &Sealed| -> Result<Option<Sealed>, SealProblem> {
        // Opened also where nothing is to do: a keyring made anew has the old one's numbers.
        let plain = keyring.open(slot, sealed)?;
        if sealed.kid == keyring.current_kid() {
            return Ok(None);
        }
        Ok(Some(keyring.seal(slot, &plain, random(entropy))))
    };
    let mut amendments = Vec::new();
    for provider in &held.providers {
        let Some(password) = &provider.password else {
            continue;
        };
        if let Some(anew) = again(&MailProvider::password_slot(&provider.name), password)? {
            amendments.push(Amendment::PutProvider(MailProvider {
                password: Some(anew),
                ..provider.clone()
            }));
        }
    }
    for hook in &held.hooks {
        if let Some(secret) = again(&MailHook::secret_slot(hook.provider), &hook.secret)? {
            amendments.push(Amendment::PutHook(MailHook {
                secret,
                ..hook.clone()
            }));
        }
    }
    for key in &held.dkim_keys {
        if let Some(private) = again(&DkimKey::private_slot(&key.record_name()), &key.private)? {
            amendments.push(Amendment::PutDkimKey(DkimKey {
                private,
                ..key.clone()
            }));
        }
    }
    for key in &held.signing_keys {
        if let Some(private) = again(&SigningKey::private_slot(&key.kid), &key.private)? {
            amendments.push(Amendment::PutSigningKey(SigningKey {
                private,
                ..key.clone()
            }));
        }
    }
    Ok(amendments)
}

impl From<RootKeysError> for Refusal {
    fn from(error: RootKeysError) -> Self {
        Self(error.to_string())
    }
}
