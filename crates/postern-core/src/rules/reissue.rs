use std::time::Duration;

use crate::error::Error;
use crate::model::{AddressKey, AuthRequest, DeliveryId, EventKind, State, Timestamp};
use crate::ports::{Change, Decision, Ledger};
use crate::rules::issue::{event_of, queue, taken};
use crate::rules::judge::{bury, exhausted};
use crate::rules::suppression::check_suppression;
use crate::rules::test_identity::{self, is_test_identity};
use crate::rules::throttle::{Quotas, budget_spent, throttle};
use crate::settings::{OnBudget, Settings};

/// How often one request can be resent.
pub const MAX_RESENDS: u8 = 10;
/// How long after its first send a request can be resent.
pub const RESENDABLE_FOR: Duration = Duration::from_hours(24);
/// How old a generation may grow before a resend replaces it, whatever the settings.
const GENERATION_LIFE: Duration = Duration::from_hours(1);

/// A resend of a request that is held still.
#[derive(Clone, Copy, Debug)]
pub struct Reissue<'a> {
    /// The request.
    pub request: &'a AuthRequest,
    /// Its address's key.
    pub key: AddressKey,
    /// The settings in force.
    pub settings: &'a Settings,
}

impl Reissue<'_> {
    /// Queues another mail and restarts the lifetime, or refuses. Attempts and budgets stay as they are.
    pub fn decide(&self, ledger: &Ledger, now: Timestamp) -> Decision {
        if exhausted(self.request, self.settings) {
            return bury(self.request, self.key, now);
        }
        let quotas = match self
            .refusal(ledger, now)
            .map_or_else(|| self.quotas(ledger, now), Err)
        {
            Ok(quotas) => quotas,
            Err(refused) => return Decision::refuse(refused),
        };
        let regenerated = self.regenerates(now);
        let request = self.next(regenerated, now);
        let resent = EventKind::Resent {
            regenerated,
            generation: request.generation,
        };
        let mut change = self.change(request, quotas, now);
        let told = event_of(&change.request, self.key, now, resent);
        change.events.insert(0, told);
        test_identity::mark(&mut change, self.key, now);
        Decision {
            outcome: Ok(()),
            change: Some(change),
        }
    }

    /// The new form with the mail that goes with it; none for a test identity.
    fn change(&self, request: AuthRequest, quotas: Option<Quotas>, now: Timestamp) -> Change {
        let ordinal = u16::from(request.resends);
        let id = DeliveryId {
            request: request.id,
            ordinal,
        };
        let delivery = (!request.test).then(|| queue(id, request.generation, now));
        let queued = EventKind::MailQueued { delivery: ordinal };
        let events = delivery
            .iter()
            .map(|_| event_of(&request, self.key, now, queued.clone()))
            .collect();
        let (sends, client_sends) = taken(quotas);
        Change {
            request,
            sends,
            client_sends,
            guesses: None,
            delivery,
            events,
        }
    }

    /// Takes the quotas, but for a test identity, which is mailed nothing.
    fn quotas(&self, ledger: &Ledger, now: Timestamp) -> Result<Option<Quotas>, Error> {
        if self.request.test {
            return Ok(None);
        }
        check_suppression(ledger, now)?;
        throttle(ledger, self.settings, now).map(Some)
    }

    fn refusal(&self, ledger: &Ledger, now: Timestamp) -> Option<Error> {
        match self.request.state {
            State::Used(_) => return Some(Error::AuthRequestUsed),
            State::Dead => return Some(Error::TooManyAttempts),
            State::Open => {}
        }
        if self.request.resends >= MAX_RESENDS || now >= self.request.sent_at.plus(RESENDABLE_FOR) {
            return Some(Error::StartAgain);
        }
        // Opened as a test identity, it has nothing to mail when it is none any more.
        if self.request.test && !is_test_identity(&self.request.address, self.settings) {
            return Some(Error::StartAgain);
        }
        self.budget_refusal(ledger, now)
    }

    /// A code of ordinary length cannot be used past the budget, so mailing it again helps nobody: a
    /// new send gives a hardened one.
    fn budget_refusal(&self, ledger: &Ledger, now: Timestamp) -> Option<Error> {
        if self.request.hardened || !self.request.method.has_code() {
            return None;
        }
        let retry_after = budget_spent(&ledger.guesses, self.settings, now)?;
        let waits = self.request.test || self.settings.on_budget == OnBudget::Refuse;
        Some(if waits {
            Error::RateLimited {
                what: "wrong codes for this address",
                retry_after,
            }
        } else {
            Error::StartAgain
        })
    }

    fn regenerates(&self, now: Timestamp) -> bool {
        self.settings.regenerate_on_resend
            || now >= self.request.expires_at
            || now.since(self.request.generation_at) >= GENERATION_LIFE
    }

    fn next(&self, regenerated: bool, now: Timestamp) -> AuthRequest {
        let before = self.request;
        let generation = before.generation + u16::from(regenerated);
        AuthRequest {
            generation,
            generation_at: if regenerated {
                now.max(before.generation_at)
            } else {
                before.generation_at
            },
            expires_at: now.plus(before.lifetime).max(before.expires_at),
            resends: before.resends + 1,
            ..before.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{History, UsedBy};
    use crate::rules::fixtures::{at, request};

    fn resend(
        request: &AuthRequest,
        settings: &Settings,
        now: i64,
    ) -> Result<AuthRequest, &'static str> {
        let key = request.address.key();
        let decision = Reissue {
            request,
            key,
            settings,
        }
        .decide(&Ledger::default(), at(now));
        decision.outcome.map_err(|e| e.code())?;
        Ok(decision.change.unwrap().request)
    }

    fn keeping() -> Settings {
        Settings {
            regenerate_on_resend: false,
            ..Settings::default()
        }
    }

    #[test]
    fn a_resend_restarts_the_lifetime_and_makes_new_credentials() {
        let after = resend(&request(), &Settings::default(), 100).unwrap();
        assert_eq!(
            (after.generation, after.expires_at, after.resends),
            (1, at(400), 1)
        );
        assert_eq!(after.id, request().id);
    }

    #[test]
    fn without_regeneration_the_same_credentials_are_mailed_unless_they_are_spent_or_old() {
        assert_eq!(resend(&request(), &keeping(), 100).unwrap().generation, 0);
        assert_eq!(resend(&request(), &keeping(), 300).unwrap().generation, 1);
        let long = AuthRequest {
            expires_at: at(9000),
            ..request()
        };
        assert_eq!(resend(&long, &keeping(), 3599).unwrap().generation, 0);
        assert_eq!(resend(&long, &keeping(), 3600).unwrap().generation, 1);
    }

    #[test]
    fn a_used_or_dead_request_is_not_mailed_again() {
        let used = AuthRequest {
            state: State::Used(UsedBy::Link),
            ..request()
        };
        assert_eq!(
            resend(&used, &Settings::default(), 1),
            Err("AUTH_REQUEST_USED")
        );
        let dead = AuthRequest {
            state: State::Dead,
            ..request()
        };
        assert_eq!(
            resend(&dead, &Settings::default(), 1),
            Err("TOO_MANY_ATTEMPTS")
        );
    }

    #[test]
    fn a_request_with_as_many_wrong_codes_as_a_lowered_limit_is_not_mailed_again() {
        let tried = AuthRequest {
            wrong: request().wrong.with([1; 16]),
            ..request()
        };
        let settings = Settings {
            attempt_limit: 1,
            ..Settings::default()
        };
        assert_eq!(resend(&tried, &settings, 1), Err("TOO_MANY_ATTEMPTS"));
    }

    #[test]
    fn after_ten_resends_or_a_day_a_new_send_is_needed() {
        let tenth = AuthRequest {
            resends: 9,
            ..request()
        };
        assert_eq!(resend(&tenth, &Settings::default(), 1).unwrap().resends, 10);
        let eleventh = AuthRequest {
            resends: 10,
            ..request()
        };
        assert_eq!(
            resend(&eleventh, &Settings::default(), 1),
            Err("START_AGAIN")
        );
        assert!(resend(&request(), &Settings::default(), 86_399).is_ok());
        assert_eq!(
            resend(&request(), &Settings::default(), 86_400),
            Err("START_AGAIN")
        );
    }

    #[test]
    fn past_the_budget_an_ordinary_code_is_not_mailed_again() {
        let ledger = Ledger {
            guesses: History::new((0..100).map(at).collect()),
            ..Ledger::default()
        };
        let decide = |request: &AuthRequest| {
            let reissue = Reissue {
                request,
                key: request.address.key(),
                settings: &Settings::default(),
            };
            reissue
                .decide(&ledger, at(200))
                .outcome
                .map_err(|e| e.code())
        };
        assert_eq!(decide(&request()), Err("START_AGAIN"));
        assert_eq!(
            decide(&AuthRequest {
                hardened: true,
                ..request()
            }),
            Ok(())
        );
    }

    #[test]
    fn stored_times_never_move_backwards_when_the_clock_does() {
        let after = resend(&request(), &Settings::default(), -50).unwrap();
        assert_eq!((after.expires_at, after.generation_at), (at(300), at(0)));
    }
}
