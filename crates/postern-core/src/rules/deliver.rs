use crate::model::{AuthRequest, Delivery, EventKind, Settlement, State, Timestamp};

/// Why a mail must not be sent any more, if so: nothing is mailed for a credential that is spent.
pub fn undeliverable(
    delivery: &Delivery,
    request: &AuthRequest,
    now: Timestamp,
) -> Option<&'static str> {
    match request.state {
        State::Used(_) => Some("used"),
        State::Dead => Some("dead"),
        State::Open if delivery.generation != request.generation => Some("superseded"),
        State::Open if now >= request.expires_at => Some("expired"),
        State::Open => None,
    }
}

/// A queued delivery after an attempt, and the event that tells of it.
pub fn settle(delivery: &Delivery, settlement: &Settlement) -> (Delivery, EventKind) {
    let attempts = match settlement {
        Settlement::Abandoned { .. } => delivery.attempts,
        Settlement::Sent { .. }
        | Settlement::Retry { .. }
        | Settlement::Bounced { .. }
        | Settlement::Failed { .. } => delivery.attempts.saturating_add(1),
    };
    let due_at = if let Settlement::Retry { at, .. } = settlement {
        *at
    } else {
        delivery.due_at
    };
    let after = Delivery {
        state: settlement.state(),
        attempts,
        due_at,
        ..delivery.clone()
    };
    (after, told(delivery.id.ordinal, attempts, settlement))
}

fn told(delivery: u16, attempts: u16, settlement: &Settlement) -> EventKind {
    match settlement.clone() {
        Settlement::Sent { provider, reply } => EventKind::MailSent {
            delivery,
            attempts,
            provider,
            reply,
        },
        Settlement::Retry {
            provider, reason, ..
        } => EventKind::MailDeferred {
            delivery,
            attempts,
            provider,
            reason,
        },
        Settlement::Bounced { reply, .. } => EventKind::MailFailed {
            delivery,
            attempts,
            bounced: true,
            reason: reply,
        },
        Settlement::Failed { reason } => EventKind::MailFailed {
            delivery,
            attempts,
            bounced: false,
            reason,
        },
        Settlement::Abandoned { reason } => EventKind::MailAbandoned {
            delivery,
            reason: reason.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryId, DeliveryState, UsedBy};
    use crate::rules::fixtures::{at, request};
    use crate::rules::issue::queue;

    fn delivery() -> Delivery {
        queue(
            DeliveryId {
                request: request().id,
                ordinal: 0,
            },
            0,
            at(0),
        )
    }

    #[test]
    fn nothing_is_mailed_for_a_spent_superseded_or_expired_request() {
        let open = request();
        assert_eq!(undeliverable(&delivery(), &open, at(299)), None);
        assert_eq!(undeliverable(&delivery(), &open, at(300)), Some("expired"));
        for (state, reason) in [(State::Used(UsedBy::Code), "used"), (State::Dead, "dead")] {
            assert_eq!(
                undeliverable(&delivery(), &AuthRequest { state, ..request() }, at(1)),
                Some(reason)
            );
        }
        let newer = AuthRequest {
            generation: 1,
            ..request()
        };
        assert_eq!(
            undeliverable(&delivery(), &newer, at(1)),
            Some("superseded")
        );
    }

    #[test]
    fn a_retry_stays_queued_until_its_moment_and_counts_the_attempt() {
        let retry = Settlement::Retry {
            at: at(9),
            provider: None,
            reason: "451".into(),
        };
        let (after, _) = settle(&delivery(), &retry);
        assert_eq!(
            (after.state, after.attempts, after.due_at),
            (DeliveryState::Queued, 1, at(9))
        );
    }

    #[test]
    fn an_abandoned_mail_was_not_attempted() {
        let (after, _) = settle(&delivery(), &Settlement::Abandoned { reason: "used" });
        assert_eq!((after.state, after.attempts), (DeliveryState::Abandoned, 0));
    }
}
