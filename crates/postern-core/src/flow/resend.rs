use std::sync::{Arc, OnceLock};

use super::Postern;
use super::domains::admit;
use super::open::{MailInput, unreadable};
use super::person::telling;
use super::send::{Receipt, no_root};
use crate::error::{Error, Violation};
use crate::keyring::Keyring;
use crate::model::{
    AddressKey, AuthRequestId, Caller, ClientId, DomainList, Email, Sealed, Snapshot,
};
use crate::ports::{Decide, Decision, random};
use crate::rules::{DomainRule, Reissue, domain, domain_rule};

/// A resend as it came over the wire.
#[derive(Clone, Default)]
pub struct ResendInput {
    /// What send answered.
    pub auth_request_id: String,
}

impl Postern {
    /// Queues another mail of an auth request and restarts its lifetime.
    ///
    /// # Errors
    /// No such request of this client; one that is used, dead or too old; a quota.
    pub async fn resend(&self, caller: &Caller, input: ResendInput) -> Result<Receipt, Error> {
        let snapshot = self.snapshot();
        Self::enabled(&snapshot)?;
        let mails = self.mails(&snapshot);
        if !mails && snapshot.settings.test_addresses.is_empty() {
            return Err(Error::MailNotConfigured);
        }
        check_handle(&input.auth_request_id)?;
        let keyring = self.keyring();
        let named = keyring.read_handle(&input.auth_request_id);
        let id = named.unwrap_or_else(|| self.decoy());
        let (seen, against) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
        let mode = snapshot.settings.domain_rules;
        let capped = snapshot.settings.client_sends_per_minute > 0;
        let decide = Resend {
            client: caller.client.clone(),
            snapshot,
            keyring,
            mails,
            disposable: self.disposable.load_full(),
            seen: seen.clone(),
            against: against.clone(),
        }
        .decide();
        let decide = telling(caller.person.clone(), decide);
        let decision = self.store.reissue(id, capped, decide).await?;
        self.note_domain(against.get().copied(), mode);
        let handle = crate::model::RequestHandle::new(input.auth_request_id);
        match seen.get() {
            Some(key) => self.answer(decision, *key, caller, &handle),
            None => Err(decision.outcome.err().unwrap_or_else(no_root)),
        }
    }

    /// An id that no request has: a forged capability costs the same and answers the same as one
    /// whose request is gone, and what it names never reaches the store.
    pub(super) fn decoy(&self) -> AuthRequestId {
        AuthRequestId::new(self.now(), random(&*self.entropy))
    }
}

struct Resend {
    client: ClientId,
    snapshot: Arc<Snapshot>,
    keyring: Arc<Keyring>,
    mails: bool,
    disposable: Arc<DomainList>,
    seen: Arc<OnceLock<AddressKey>>,
    /// The domain rule that speaks against the address.
    against: Arc<OnceLock<DomainRule>>,
}

impl Resend {
    fn decide(self) -> Decide {
        Box::new(move |found, now| {
            let Some(request) = found
                .request
                .filter(|request| request.client == self.client)
            else {
                return Decision::refuse(Error::AuthRequestNotFound);
            };
            let key = *self.seen.get_or_init(|| request.address.key());
            if !self.mails && !request.test {
                return Decision::refuse(Error::MailNotConfigured);
            }
            let checked = self
                .check_domain(&request.address)
                .and_then(|flagged| self.check_origin(request.id, found.input).map(|()| flagged));
            let flagged = match checked {
                Ok(flagged) => flagged,
                Err(refused) => return Decision::refuse(refused),
            };
            let reissue = Reissue {
                request,
                key,
                settings: &self.snapshot.settings,
            };
            let mut decision = reissue.decide(found.ledger, now);
            if let Some(change) = decision
                .change
                .as_mut()
                .filter(|_| decision.outcome.is_ok())
            {
                domain::flag(change, flagged, key, now);
            }
            decision
        })
    }

    /// The domain rules are live too.
    fn check_domain(&self, address: &Email) -> Result<Option<DomainRule>, Error> {
        let settings = &self.snapshot.settings;
        let against = domain_rule(address, settings, &self.disposable);
        if let Some(rule) = against {
            let _ = self.against.set(rule);
        }
        admit(against, settings.domain_rules)
    }

    /// The allow-lists are live: a link that they no longer admit is not mailed again.
    fn check_origin(&self, id: AuthRequestId, input: Option<&Sealed>) -> Result<(), Error> {
        let Some(uri) = MailInput::open(&self.keyring, id, input)
            .map_err(unreadable)?
            .uri
        else {
            return Ok(());
        };
        uri.check(&self.snapshot.settings)
            .map_err(|problem| Error::invalid("magiclink_auth_uri", "uri", problem.to_string()))
    }
}

/// The bounds of an `auth_request_id` that must be there (contract §3).
pub(super) fn check_handle(text: &str) -> Result<(), Error> {
    let violation = |constraint, told: &str| {
        Err(Error::Invalid(vec![Violation::new(
            "auth_request_id",
            constraint,
            told,
        )]))
    };
    match text.chars().count() {
        0 => violation("required", "auth_request_id is required"),
        1..=200 => Ok(()),
        _ => violation(
            "max_len:200",
            "auth_request_id is longer than 200 characters",
        ),
    }
}
