use std::time::Duration;

use crate::error::Error;
use crate::model::{
    AddressKey, AuthRequest, AuthRequestId, ClientId, CodeShape, Delivery, DeliveryId,
    DeliveryState, Email, Event, EventKind, Method, Sealed, State, Template, Timestamp, WrongCodes,
};
use crate::ports::{Change, Decision, Ledger};
use crate::rules::throttle::{budget_spent, throttle};
use crate::settings::{OnBudget, Settings};

/// How long a delivery is leased: longer than an attempt's deadline (30 s) plus the skew (2 s).
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
        let quotas = match throttle(ledger, settings, now) {
            Ok(quotas) => quotas,
            Err(refused) => return Decision::refuse(refused),
        };
        let spent = budget_spent(&ledger.guesses, settings, now).filter(|_| self.method.has_code());
        if let (Some(retry_after), OnBudget::Refuse) = (spent, settings.on_budget) {
            return Decision::refuse(Error::RateLimited {
                what: "wrong codes for this address",
                retry_after,
            });
        }
        let request = self.open(spent.is_some(), settings, now);
        let delivery = queue(
            DeliveryId {
                request: self.id,
                ordinal: 0,
            },
            0,
            now,
        );
        let events = self.events(&request, now);
        Decision {
            outcome: Ok(()),
            change: Some(Change {
                request,
                sends: Some(quotas.sends),
                client_sends: quotas.client_sends,
                guesses: None,
                delivery: Some(delivery),
                events,
            }),
        }
    }

    fn open(&self, hardened: bool, settings: &Settings, now: Timestamp) -> AuthRequest {
        AuthRequest {
            id: self.id,
            kid: self.kid,
            client: self.client.clone(),
            address: self.address.clone(),
            method: self.method,
            template: self.template,
            shape: if hardened {
                CodeShape::HARDENED
            } else {
                settings.code_shape()
            },
            hardened,
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

    fn events(&self, request: &AuthRequest, now: Timestamp) -> Vec<Event> {
        let initiated = EventKind::Initiated {
            email: self.address.as_given().to_owned(),
            method: self.method,
            template: self.template,
            hardened: request.hardened,
            expires_in: self.lifetime.as_secs(),
        };
        [initiated, EventKind::MailQueued { delivery: 0 }]
            .map(|what| event_of(request, self.key, now, what))
            .into()
    }
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
