//! Root keys and signing keys.

use std::sync::Arc;

use postern_core::Error;
use postern_core::keyring::{Keyring, SealProblem};
use postern_core::model::{MailProvider, Sealed, SigningKey, SigningState, Slot, Snapshot};
use postern_core::ports::{Amendment, Entropy, random};

use super::execute::{Admin, Refusal};
use super::reply::AdminReply;
use super::shown;
use crate::oauth::keys;
use crate::root_keys::{RootKeys, RootKeysError};

impl Admin {
    /// Promotes the standby, retires the active key, publishes a new standby and drops outlived keys.
    pub(super) async fn rotate_signing(&self) -> Result<AdminReply, Refusal> {
        let (keyring, entropy, now) = (
            self.postern.keyring(),
            Arc::clone(&self.entropy),
            self.postern.now(),
        );
        let made = tokio::task::spawn_blocking(move || {
            keys::make(SigningState::Standby, &keyring, &*entropy, now)
        })
        .await;
        let fresh = made
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| Refusal("no signing key could be made".to_owned()))?;
        let amend = move |held: &Snapshot, now| {
            let mut amendments = keys::rotate(held, fresh.clone(), now);
            amendments.extend(keys::outlived(held, now));
            Ok(amendments)
        };
        let after = self.postern.amend(Box::new(amend)).await?;
        Ok(AdminReply::SigningKeys(shown::signing_keys(&after)))
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
    pub(super) async fn retire_root(&self, kid: u8) -> Result<AdminReply, Refusal> {
        let mut roots = RootKeys::read(&self.root_keys_file)?;
        roots.retire(kid)?;
        if self.postern.store().kids_in_use().await?.contains(&kid) {
            return Err(Refusal(format!(
                "root key {kid} is still named by what is kept: run `postern keys root reseal`, then wait until the \
                 auth requests that it issued have been swept"
            )));
        }
        roots.write(&self.root_keys_file)?;
        self.take_up_roots()?;
        Ok(AdminReply::RootRetired { kid })
    }

    fn take_up_roots(&self) -> Result<(), Refusal> {
        let keyring = RootKeys::read(&self.root_keys_file)?
            .keyring()
            .map_err(|problem| Refusal(problem.to_string()))?;
        self.keyring.store(Arc::new(keyring));
        Ok(())
    }
}

fn resealed(
    held: &Snapshot,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<Vec<Amendment>, SealProblem> {
    let again = |slot: &Slot<'_>, sealed: &Sealed| -> Result<Option<Sealed>, SealProblem> {
        if sealed.kid == keyring.current_kid() {
            return Ok(None);
        }
        let plain = keyring.open(slot, sealed)?;
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
