use std::sync::{Arc, OnceLock};

use super::Postern;
use super::open::{state_slot, unreadable};
use super::person::telling;
use super::resend::check_handle;
use super::send::{no_root, present};
use crate::error::{Error, Violation};
use crate::keyring::Keyring;
use crate::model::{
    AddressKey, AuthRequest, AuthRequestId, Caller, ClientId, Snapshot, State, Template, UsedBy,
    fold_code,
};
use crate::ports::{Decide, Decision};
use crate::rules::{Claimed, Judgement, Proof, judge};

/// A verify as it came over the wire; an empty optional text counts as absent.
#[derive(Clone, Default)]
pub struct VerifyInput {
    /// What the person typed.
    pub code: Option<String>,
    /// What the person clicked.
    pub link_token: Option<String>,
    /// What send answered.
    pub auth_request_id: Option<String>,
}

/// A proof that was accepted, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified {
    /// The address, as it was given to send.
    pub email: String,
    /// The caller's state.
    pub state: Option<String>,
    /// The wording that was asked for.
    pub template: Option<Template>,
    /// Which proof it was.
    pub by: UsedBy,
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verified(by {:?})", self.by)
    }
}

/// A verify whose tags were checked: which request to ask for, and what to hold against it.
struct VerifyCommand {
    id: AuthRequestId,
    proof: Option<Proof>,
    /// The answer when there is no such request.
    missing: fn() -> Error,
}

impl Postern {
    /// Judges what the person typed or clicked, and consumes the request if it is right.
    ///
    /// # Errors
    /// The rows of the lifecycle's table, each with its own code.
    pub async fn verify(&self, caller: &Caller, input: VerifyInput) -> Result<Verified, Error> {
        self.verify_under(caller, input, self.snapshot()).await
    }

    /// [`Self::verify`] under the settings of this snapshot.
    pub(super) async fn verify_under(
        &self,
        caller: &Caller,
        input: VerifyInput,
        snapshot: Arc<Snapshot>,
    ) -> Result<Verified, Error> {
        if !snapshot.settings.enabled {
            return Err(Error::MethodDisabled);
        }
        let keyring = self.keyring();
        let command = self.read_proof(input, &keyring)?;
        let by_code = matches!(command.proof, Some(Proof::Code(_)));
        let id = command.id;
        let seen = Arc::new(OnceLock::new());
        let judging = Judging {
            command,
            client: caller.client.clone(),
            snapshot,
            keyring: keyring.clone(),
            seen: seen.clone(),
        };
        let decision = self
            .store
            .redeem(
                id,
                by_code,
                telling(caller.person.clone(), judging.decide()),
            )
            .await?;
        self.count_budget_pass(decision.change.as_ref());
        if let Err(error) = decision.outcome {
            if let Some(key) = seen.get() {
                self.throttled
                    .note(*key, &caller.client, &error, self.now());
            }
            return Err(error);
        }
        verified(&decision.change.ok_or_else(no_root)?.request, &keyring)
    }

    /// Tags are checked here, before the store is asked; what fails asks for a decoy instead.
    fn read_proof(&self, input: VerifyInput, keyring: &Keyring) -> Result<VerifyCommand, Error> {
        let handle = present(input.auth_request_id);
        match (present(input.code), present(input.link_token)) {
            (Some(_), Some(_)) => Err(exactly_one("give either code or link_token, not both")),
            (None, None) => Err(exactly_one("code or link_token is required")),
            (Some(code), None) => {
                check_length("code", &code, 20, "max_len:20")?;
                let handle = handle.unwrap_or_default();
                check_handle(&handle)?;
                let named = keyring.read_handle(&handle);
                let proof = named.map(|_| Proof::Code(fold_code(&code)));
                Ok(self.command(named, proof, || Error::AuthRequestNotFound))
            }
            (None, Some(token)) => {
                check_length("link_token", &token, 100, "max_len:100")?;
                let claimed = claim(handle.as_deref(), keyring)?;
                let link = keyring.read_link(&token);
                let proof = link.map(|link| Proof::Link { link, claimed });
                Ok(self.command(link.map(|link| link.id), proof, || Error::InvalidLink))
            }
        }
    }

    fn command(
        &self,
        named: Option<AuthRequestId>,
        proof: Option<Proof>,
        missing: fn() -> Error,
    ) -> VerifyCommand {
        VerifyCommand {
            id: named.unwrap_or_else(|| self.decoy()),
            proof,
            missing,
        }
    }
}

struct Judging {
    command: VerifyCommand,
    client: ClientId,
    snapshot: Arc<Snapshot>,
    keyring: Arc<Keyring>,
    seen: Arc<OnceLock<AddressKey>>,
}

impl Judging {
    fn decide(self) -> Decide {
        Box::new(move |found, now| {
            let (Some(request), Some(proof)) = (found.request, &self.command.proof) else {
                return Decision::refuse((self.command.missing)());
            };
            if request.client != self.client {
                return Decision::refuse(Error::AuthRequestNotFound);
            }
            let judgement = Judgement {
                request,
                key: *self.seen.get_or_init(|| request.address.key()),
                guesses: &found.ledger.guesses,
                settings: &self.snapshot.settings,
                keyring: &self.keyring,
                now,
            };
            judge(&judgement, proof)
        })
    }
}

fn verified(request: &AuthRequest, keyring: &Keyring) -> Result<Verified, Error> {
    let State::Used(by) = request.state else {
        return Err(no_root());
    };
    let open = |sealed| {
        keyring
            .open(&state_slot(&request.id), sealed)
            .map_err(unreadable)
    };
    let state = request.caller_state.as_ref().map(open).transpose()?;
    let state = state
        .map(|bytes| String::from_utf8(bytes.to_vec()).map_err(|e| Error::Internal(e.into())))
        .transpose()?;
    Ok(Verified {
        email: request.address.as_given().to_owned(),
        state,
        template: request.template,
        by,
    })
}

fn claim(handle: Option<&str>, keyring: &Keyring) -> Result<Claimed, Error> {
    let Some(handle) = handle else {
        return Ok(Claimed::Nothing);
    };
    check_handle(handle)?;
    Ok(keyring
        .read_handle(handle)
        .map_or(Claimed::Forged, Claimed::Request))
}

fn exactly_one(told: &str) -> Error {
    Error::invalid("auth_credential", "required", told)
}

fn check_length(
    field: &'static str,
    text: &str,
    most: usize,
    constraint: &'static str,
) -> Result<(), Error> {
    if text.chars().count() <= most {
        return Ok(());
    }
    Err(Error::Invalid(vec![Violation::new(
        field,
        constraint,
        format!("{field} is longer than {most} characters"),
    )]))
}
