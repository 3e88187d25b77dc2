use super::Postern;
use crate::error::Error;
use crate::model::{DeliveryId, Feedback, HookProvider, MailHook, SecretText};
use crate::ports::{Amendment, random};
use crate::rules;

/// What a provider's word on a mail led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is on the request's timeline now.
    Noted,
    /// It was known.
    Known,
    /// There is no such mail here, or not any more.
    Unknown,
}

impl Postern {
    /// Takes in what a provider tells of a mail, which must have been verified.
    ///
    /// # Errors
    /// The store does not answer: the provider should tell it again.
    pub async fn receive(&self, id: DeliveryId, feedback: Feedback) -> Result<Heard, Error> {
        let snapshot = self.snapshot();
        let rule = move |delivery: &_, request: &_, now| {
            rules::receive(delivery, request, &feedback, &snapshot.settings, now)
        };
        Ok(match self.store.receive(id, Box::new(rule)).await? {
            Some(true) => Heard::Noted,
            Some(false) => Heard::Known,
            None => Heard::Unknown,
        })
    }

    /// Sets what a provider's callbacks are verified with; until then they are refused.
    ///
    /// # Errors
    /// A secret of no or more than 2000 characters, or with controls.
    pub async fn put_hook(&self, provider: HookProvider, secret: SecretText) -> Result<(), Error> {
        let text = secret.expose();
        if !(1..=2000).contains(&text.len()) || text.chars().any(char::is_control) {
            let told = "the secret is one line of 1 to 2000 characters";
            return Err(Error::invalid("secret", "len:1..2000", told));
        }
        let slot = MailHook::secret_slot(provider);
        let nonce = random(&*self.entropy);
        let secret = self.keyring().seal(&slot, text.as_bytes(), nonce);
        let hook = MailHook { provider, secret };
        self.amend(Box::new(move |_, _| {
            Ok(vec![Amendment::PutHook(hook.clone())])
        }))
        .await
        .map(drop)
    }

    /// Lets a provider call no more.
    ///
    /// # Errors
    /// It could not call.
    pub async fn drop_hook(&self, provider: HookProvider) -> Result<(), Error> {
        self.amend(Box::new(move |snapshot, _| {
            if snapshot.hook(provider).is_some() {
                return Ok(vec![Amendment::DropHook(provider)]);
            }
            let told = format!("callbacks of {} are not taken", provider.as_str());
            Err(Error::invalid("provider", "exists", told))
        }))
        .await
        .map(drop)
    }

    /// What a provider's callbacks are verified with; `None` when they are not taken.
    ///
    /// # Errors
    /// It does not open under the roots in force.
    pub fn hook_secret(&self, provider: HookProvider) -> Result<Option<SecretText>, Error> {
        let snapshot = self.snapshot();
        let Some(hook) = snapshot.hook(provider) else {
            return Ok(None);
        };
        let opened = self
            .keyring()
            .open(&MailHook::secret_slot(provider), &hook.secret);
        let opened = opened.map_err(|problem| Error::Internal(problem.into()))?;
        let text = std::str::from_utf8(&opened).map_err(|e| Error::Internal(e.into()))?;
        Ok(Some(SecretText::new(text)))
    }
}
