use std::time::Duration;

use crate::error::Error;
use crate::model::{
    AddressKey, AuthRequest, AuthRequestId, ClientId, CodeShape, Delivery, DeliveryId,
    DeliveryState, Email, Event, EventKind, History, Method, Sealed, SecondBuckets, State,
    Template, Timestamp, WrongCodes,
};
use crate::ports::{Change, Decision, Ledger};
use crate::rules::suppression::check_suppression;
use crate::rules::test_identity::{self, is_test_identity};
use crate::rules::throttle::{Quotas, budget_spent, throttle};
use crate::settings::{OnBudget, Settings};

/// How far the clocks of two nodes may be apart: every limit holds within it.
pub const SKEW: Duration = Duration::from_secs(2);

/// How long a delivery is leased: longer than an attempt's deadline (30 s) plus [`SKEW`], with some
/// time to wait for its turn.
pub const LEASE: Duration = Duration::from_secs(45);

/// An accepted send, but for what depends on the moment its act runs.
#[derive(Clone, Debug)]
pub struct Issue {
    /// The new request's id.
    pub id: AuthRequestId,
    /// The root that its credentials come from.
    pub kid: u8,
    /// Whose request it is.
    pub client: ClientId,
    /// Whom it is about.
    pub address: Email,
    /// The address's key.
    pub key: AddressKey,
    /// What is mailed.
    pub method: Method,
    /// Which wording.
    pub template: Option<Template>,
    /// How long the credentials live.
    pub lifetime: Duration,
    /// The caller's state, sealed.
    pub caller_state: Option<Sealed>,
}

impl Issue {
    /// Takes the quotas and opens the request with its first mail, or refuses.
    pub fn decide(&self, ledger: &Ledger, settings: &Settings, now: Timestamp) -> Decision {
        let test = is_test_identity(&self.address, settings);
        let quotas = match self.quotas(test, ledger, settings, now) {
            Ok(quotas) => quotas,
            Err(refused) => return Decision::refuse(refused),
        };
        let spent = budget_spent(&ledger.guesses, settings, now).filter(|_| self.method.has_code());
        // A static code cannot be made longer: past the budget a test identity has to wait.
        let refuses = test || settings.on_budget == OnBudget::Refuse;
        if let Some(retry_after) = spent.filter(|_| refuses) {
            return Decision::refuse(Error::RateLimited {
                what: "wrong codes for this address",
                retry_after,
            });
        }
        let request = self.open((spent.is_some(), test), settings, now);
        Decision {
            outcome: Ok(()),
            change: Some(self.change(request, quotas, now)),
        }
    }

    /// Takes the quotas, but for a test identity, which is mailed nothing.
    fn quotas(
        &self,
        test: bool,
        ledger: &Ledger,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Option<Quotas>, Error> {
        if !test {
            check_suppression(ledger, now)?;
            return throttle(ledger, settings, now).map(Some);
        }
        if self.method.has_code() {
            Ok(None)
        } else {
            Err(test_identity::needs_code())
        }
    }

    fn change(&self, request: AuthRequest, quotas: Option<Quotas>, now: Timestamp) -> Change {
        let id = DeliveryId {
            request: self.id,
            ordinal: 0,
        };
        let mut events = vec![self.initiated(&request, now)];
        let delivery = (!request.test).then(|| queue(id, 0, now));
        if delivery.is_some() {
            let queued = EventKind::MailQueued { delivery: 0 };
            events.push(event_of(&request, self.key, now, queued));
        }
        let (sends, client_sends) = taken(quotas);
        let mut change = Change {
            request,
            sends,
            client_sends,
            guesses: None,
            delivery,
            events,
        };
        test_identity::mark(&mut change, self.key, now);
        change
    }

    fn open(
        &self,
        (hardened, test): (bool, bool),
        settings: &Settings,
        now: Timestamp,
    ) -> AuthRequest {
        AuthRequest {
            id: self.id,
            kid: self.kid,
            client: self.client.clone(),
            address: self.address.clone(),
            method: self.method,
            template: self.template,
            shape: match (hardened, test) {
                (_, true) => test_identity::shape(settings),
                (true, false) => CodeShape::HARDENED,
                (false, false) => settings.code_shape(),
            },
            hardened,
            test,
            lifetime: self.lifetime,
            generation: 0,
            generation_at: now,
            sent_at: now,
            expires_at: now.plus(self.lifetime),
            resends: 0,
            state: State::Open,
            wrong: WrongCodes::default(),
            caller_state: self.caller_state.clone(),
        }
    }

    fn initiated(&self, request: &AuthRequest, now: Timestamp) -> Event {
        let initiated = EventKind::Initiated {
            email: self.address.as_given().to_owned(),
            method: self.method,
            template: self.template,
            hardened: request.hardened,
            expires_in: self.lifetime.as_secs(),
        };
        event_of(request, self.key, now, initiated)
    }
}

/// What of the quotas is written.
pub(super) fn taken(quotas: Option<Quotas>) -> (Option<History>, Option<SecondBuckets>) {
    quotas.map_or((None, None), |quotas| {
        (Some(quotas.sends), quotas.client_sends)
    })
}

/// A new delivery, leased to the node whose act queues it.
pub(super) fn queue(id: DeliveryId, generation: u16, now: Timestamp) -> Delivery {
    let due_at = now.plus(LEASE);
    Delivery {
        id,
        generation,
        state: DeliveryState::Queued,
        attempts: 0,
        queued_at: now,
        due_at,
        last_try: None,
    }
}

/// An event about a request.
pub(super) fn event_of(
    request: &AuthRequest,
    address: AddressKey,
    at: Timestamp,
    what: EventKind,
) -> Event {
    Event {
        at,
        request: Some(request.id),
        client: Some(request.client.clone()),
        address,
        what,
    }
}
