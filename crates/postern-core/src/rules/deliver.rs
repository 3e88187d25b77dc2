use crate::model::{
    AuthRequest, Delivery, EventKind, Fault, LastTry, Settlement, State, Timestamp, Try,
};

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

/// A queued delivery after an attempt that ended at `now`, and the events that tell of it: one for
/// each try that was followed by another at once, and one for its end.
pub fn settle(
    delivery: &Delivery,
    tries: &[Try],
    settlement: &Settlement,
    now: Timestamp,
) -> (Delivery, Vec<(Timestamp, EventKind)>) {
    let (mut attempts, mut last_try) = (delivery.attempts, delivery.last_try.clone());
    let mut events = Vec::with_capacity(tries.len() + 1);
    for one in tries {
        attempts = attempts.saturating_add(1);
        last_try = Some(LastTry::after(
            last_try.as_ref(),
            &one.provider,
            Some(one.fault),
        ));
        let deferred = EventKind::MailDeferred {
            delivery: delivery.id.ordinal,
            attempts,
            provider: Some(one.provider.clone()),
            fault: one.fault,
            reason: one.reason.clone(),
        };
        events.push((one.at.min(now), deferred));
    }
    if let Some((provider, fault)) = tried(settlement) {
        attempts = attempts.saturating_add(1);
        last_try = Some(LastTry::after(last_try.as_ref(), provider, fault));
    }
    events.push((now, told(delivery.id.ordinal, attempts, settlement)));
    let due_at = if let Settlement::Retry { at, .. } = settlement {
        *at
    } else {
        delivery.due_at
    };
    let after = Delivery {
        state: settlement.state(),
        attempts,
        due_at,
        last_try,
        ..delivery.clone()
    };
    (after, events)
}

/// Who was tried, if anyone was, and what kind of trouble there was.
fn tried(settlement: &Settlement) -> Option<(&str, Option<Fault>)> {
    match settlement {
        Settlement::Sent { provider, .. } | Settlement::Bounced { provider, .. } => {
            Some((provider, None))
        }
        Settlement::Retry {
            provider, fault, ..
        } => Some((provider.as_deref()?, Some(*fault))),
        Settlement::Failed { provider, .. } => Some((provider.as_deref()?, None)),
        Settlement::Abandoned { .. } => None,
    }
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
            provider,
            fault,
            reason,
            ..
        } => EventKind::MailDeferred {
            delivery,
            attempts,
            provider,
            fault,
            reason,
        },
        Settlement::Bounced { provider, reply } => EventKind::MailFailed {
            delivery,
            attempts,
            bounced: true,
            provider: Some(provider),
            reason: reply,
        },
        Settlement::Failed { provider, reason } => EventKind::MailFailed {
            delivery,
            attempts,
            bounced: false,
            provider,
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
            provider: Some("relay".into()),
            fault: Fault::Deferred,
            reason: "451".into(),
        };
        let (after, _) = settle(&delivery(), &[], &retry, at(1));
        assert_eq!(
            (after.state, after.attempts, after.due_at),
            (DeliveryState::Queued, 1, at(9))
        );
    }

    #[test]
    fn what_came_of_the_last_provider_is_remembered_with_how_often_in_a_row() {
        let deferred = |provider: &str| Settlement::Retry {
            at: at(9),
            provider: Some(provider.into()),
            fault: Fault::Deferred,
            reason: "451".into(),
        };
        let mut one = delivery();
        for (provider, in_a_row) in [("a", 1), ("a", 2), ("b", 1)] {
            (one, _) = settle(&one, &[], &deferred(provider), at(1));
            let last = one.last_try.as_ref().unwrap();
            assert_eq!(
                (last.provider.as_str(), last.in_a_row),
                (provider, in_a_row)
            );
        }
    }

    #[test]
    fn an_abandoned_mail_was_not_attempted() {
        let abandoned = Settlement::Abandoned { reason: "used" };
        let (after, _) = settle(&delivery(), &[], &abandoned, at(1));
        assert_eq!((after.state, after.attempts), (DeliveryState::Abandoned, 0));
    }

    #[test]
    fn a_mail_that_waits_for_a_provider_was_not_attempted() {
        let waits = Settlement::Retry {
            at: at(9),
            provider: None,
            fault: Fault::Trouble,
            reason: "every provider is in trouble".into(),
        };
        let (after, _) = settle(&delivery(), &[], &waits, at(1));
        assert_eq!((after.state, after.attempts), (DeliveryState::Queued, 0));
    }

    #[test]
    fn every_try_counts_and_is_told_with_its_moment() {
        let trouble = |provider: &str, seconds| Try {
            provider: provider.into(),
            at: at(seconds),
            fault: Fault::Trouble,
            reason: "refused".into(),
        };
        let sent = Settlement::Sent {
            provider: "c".into(),
            reply: "250".into(),
        };
        let tries = [trouble("a", 1), trouble("b", 2)];
        let (after, events) = settle(&delivery(), &tries, &sent, at(3));
        assert_eq!((after.state, after.attempts), (DeliveryState::Sent, 3));
        let deferred = |attempts, provider: &str| EventKind::MailDeferred {
            delivery: 0,
            attempts,
            provider: Some(provider.into()),
            fault: Fault::Trouble,
            reason: "refused".into(),
        };
        let last = EventKind::MailSent {
            delivery: 0,
            attempts: 3,
            provider: "c".into(),
            reply: "250".into(),
        };
        assert_eq!(
            events,
            [
                (at(1), deferred(1, "a")),
                (at(2), deferred(2, "b")),
                (at(3), last)
            ]
        );
    }
}
