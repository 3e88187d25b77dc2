use crate::error::Error;
use crate::keyring::{Binding, Keyring, OfferedLink, same_code};
use crate::model::{
    AddressKey, AuthRequest, AuthRequestId, CodeShape, Event, EventKind, History, Passcode, State,
    Timestamp, UsedBy,
};
use crate::ports::{Change, Decision};
use crate::rules::issue::event_of;
use crate::rules::test_identity::{self, is_test_identity};
use crate::rules::throttle::{BUDGET_SPAN, budget_spent};
use crate::settings::Settings;

/// How many older generations are recognised, so that the person is told to use the newest mail.
const RECOGNISED: u16 = 3;

/// What a caller offers.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A passcode, folded as typed (see the contract of [`crate::flow::VerifyInput`]).
    Code(String),
    /// A link, and which `auth_request_id` came with it.
    Link {
        /// The link, its outer tag checked.
        link: OfferedLink,
        /// The `auth_request_id` that came with it.
        claimed: Claimed,
    },
}

/// The `auth_request_id` that came with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// None came.
    Nothing,
    /// One that this keyring made.
    Request(AuthRequestId),
    /// One that it did not make.
    Forged,
}

/// With what a proof is judged.
#[derive(Clone, Copy, Debug)]
pub struct Judgement<'a> {
    /// The request, held still.
    pub request: &'a AuthRequest,
    /// Its address's key.
    pub key: AddressKey,
    /// The counted wrong codes of the address.
    pub guesses: &'a History,
    /// The settings in force.
    pub settings: &'a Settings,
    /// The keys.
    pub keyring: &'a Keyring,
    /// The moment the act runs.
    pub now: Timestamp,
}

/// Decides one proof against an auth request that the store holds still.
///
/// Pure, and total over the table of the lifecycle's §3, in its order: state, then kind, then
/// browser, then budget, and the secret last, so that a right passcode never rescues a dead request
/// (throttling, NIST SP 800-63B).
pub fn judge(with: &Judgement<'_>, proof: &Proof) -> Decision {
    let judged = with.standing().and_then(|()| match proof {
        Proof::Link { link, claimed } => with.link(link, *claimed).map(|()| UsedBy::Link),
        Proof::Code(code) => with.code(code).map(|()| UsedBy::Code),
    });
    match judged {
        Ok(by) => with.accept(by),
        Err(Refusal::Plain(error)) => Decision::refuse(error),
        Err(Refusal::Wrong(digest)) => with.count(digest),
        Err(Refusal::Exhausted) => bury(with.request, with.key, with.now),
    }
}

enum Refusal {
    /// Refused without a trace.
    Plain(Error),
    /// A wrong code not seen before: it is counted.
    Wrong([u8; 16]),
    /// The attempt limit was lowered below what was used: the request dies here.
    Exhausted,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Plain(error)
    }
}

impl Judgement<'_> {
    /// Rows 1 to 3.
    fn standing(&self) -> Result<(), Refusal> {
        match self.request.state {
            State::Used(_) => Err(Error::AuthRequestUsed.into()),
            State::Dead => Err(Error::TooManyAttempts.into()),
            State::Open if exhausted(self.request, self.settings) => Err(Refusal::Exhausted),
            State::Open if self.now >= self.request.expires_at => {
                Err(Error::AuthRequestExpired.into())
            }
            State::Open => Ok(()),
        }
    }

    /// Rows 4, 5, 7 and 10 for a link.
    fn link(&self, link: &OfferedLink, claimed: Claimed) -> Result<(), Refusal> {
        let mailed = self.request.method.has_link() && !self.request.test;
        if !mailed || !self.keyring.link_belongs(link, self.request) {
            return Err(Error::InvalidLink.into());
        }
        match claimed {
            Claimed::Nothing if self.settings.enforce_same_browser_origin => {
                return Err(Error::OtherBrowser.into());
            }
            Claimed::Request(id) if id == self.request.id => {}
            Claimed::Request(_) | Claimed::Forged => return Err(Error::OtherBrowser.into()),
            Claimed::Nothing => {}
        }
        let behind = self.request.generation.checked_sub(link.generation);
        match behind {
            Some(0) => Ok(()),
            Some(1..=RECOGNISED) => Err(Error::LinkSuperseded.into()),
            Some(_) | None => Err(Error::InvalidLink.into()),
        }
    }

    /// Rows 4 and 6 to 10 for a code.
    fn code(&self, code: &str) -> Result<(), Refusal> {
        if !self.request.method.has_code() || !self.shape().admits(code) {
            return Err(self.invalid_code().into());
        }
        if let Some(retry_after) = self.spent_budget() {
            return Err(Error::RateLimited {
                what: "wrong codes for this address",
                retry_after,
            }
            .into());
        }
        if self.matches(code, self.request.generation) {
            return Ok(());
        }
        // A code of an older generation that happens to equal the current one is the current one.
        let older = 1..=RECOGNISED.min(self.request.generation);
        if !self.request.test
            && older
                .into_iter()
                .any(|back| self.matches(code, self.request.generation - back))
        {
            return Err(Error::CodeSuperseded.into());
        }
        let digest = self
            .keyring
            .wrong_digest(self.request, code)
            .ok_or(Error::AuthRequestNotFound)?;
        if self.request.wrong.contains(&digest) {
            return Err(self.invalid_code().into());
        }
        Err(Refusal::Wrong(digest))
    }

    fn spent_budget(&self) -> Option<std::time::Duration> {
        (!self.request.hardened)
            .then(|| budget_spent(self.guesses, self.settings, self.now))
            .flatten()
    }

    /// The form of the codes: frozen at send, but for the static code, which is live.
    fn shape(&self) -> CodeShape {
        if self.request.test {
            test_identity::shape(self.settings)
        } else {
            self.request.shape
        }
    }

    /// A request of a test identity knows the static code alone, and only while its address is
    /// listed; no other request ever knows it.
    fn matches(&self, code: &str, generation: u16) -> bool {
        if self.request.test {
            let fixed = Passcode::new(self.settings.test_code.as_str());
            return is_test_identity(&self.request.address, self.settings)
                && same_code(&fixed, code);
        }
        let expected = self
            .keyring
            .passcode(&Binding::new(self.request, generation));
        expected.is_some_and(|expected| same_code(&expected, code))
    }

    fn invalid_code(&self) -> Error {
        Error::InvalidCode {
            attempts_left: self
                .settings
                .attempt_limit
                .saturating_sub(self.request.wrong.count()),
        }
    }

    /// Row 10: every credential of the request is dead from here on.
    fn accept(&self, by: UsedBy) -> Decision {
        let request = AuthRequest {
            state: State::Used(by),
            ..self.request.clone()
        };
        let events = vec![self.event(EventKind::Verified { by })];
        Decision {
            outcome: Ok(()),
            change: Some(self.marked(change(request, None, events))),
        }
    }

    /// Row 9: the request's count and the address's budget, in the same write.
    fn count(&self, digest: [u8; 16]) -> Decision {
        let wrong = self.request.wrong.with(digest);
        let attempts_left = self.settings.attempt_limit.saturating_sub(wrong.count());
        let budgeted = !self.request.hardened;
        let guesses = budgeted.then(|| self.guesses.with(self.now, BUDGET_SPAN));
        let mut events = vec![self.event(EventKind::WrongCode {
            attempts_left,
            budgeted,
        })];
        let state = if attempts_left == 0 {
            State::Dead
        } else {
            State::Open
        };
        if state == State::Dead {
            events.push(self.event(EventKind::Locked));
        }
        if guesses
            .as_ref()
            .is_some_and(|all| budget_spent(all, self.settings, self.now).is_some())
        {
            events.push(self.event(EventKind::BudgetPassed));
        }
        let request = AuthRequest {
            state,
            wrong,
            ..self.request.clone()
        };
        Decision {
            outcome: Err(Error::InvalidCode { attempts_left }),
            change: Some(self.marked(change(request, guesses, events))),
        }
    }

    fn marked(&self, mut change: Change) -> Change {
        test_identity::mark(&mut change, self.key, self.now);
        change
    }

    fn event(&self, what: EventKind) -> Event {
        event_of(self.request, self.key, self.now, what)
    }
}

/// Whether an open request has used up its attempts under the limit as it is now.
pub(super) fn exhausted(request: &AuthRequest, settings: &Settings) -> bool {
    request.state == State::Open && request.wrong.count() >= settings.attempt_limit
}

/// Lets an exhausted request die for good, so that a limit raised later opens nothing again.
pub(super) fn bury(request: &AuthRequest, key: AddressKey, now: Timestamp) -> Decision {
    let events = vec![event_of(request, key, now, EventKind::Locked)];
    let dead = AuthRequest {
        state: State::Dead,
        ..request.clone()
    };
    let mut change = change(dead, None, events);
    test_identity::mark(&mut change, key, now);
    Decision {
        outcome: Err(Error::TooManyAttempts),
        change: Some(change),
    }
}

fn change(request: AuthRequest, guesses: Option<History>, events: Vec<Event>) -> Change {
    Change {
        request,
        sends: None,
        client_sends: None,
        guesses,
        delivery: None,
        events,
    }
}

#[cfg(test)]
mod tests;
