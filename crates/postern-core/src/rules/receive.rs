use crate::model::{
    AuthRequest, Delivery, DeliveryState, EventKind, Fate, Feedback, SuppressionReason, Timestamp,
};
use crate::ports::Received;
use crate::rules::issue::event_of;
use crate::rules::suppression::suppress;
use crate::settings::Settings;

/// What a provider's word on a delivery changes; nothing when it was known, or says less than what is
/// known already. Providers repeat themselves and their callbacks overtake one another, so what is
/// told twice, late or again from a recording changes nothing.
///
/// Only a mailbox that does not exist puts the address on the suppression list, and a complaint where
/// the settings say so.
pub fn receive(
    delivery: &Delivery,
    request: &AuthRequest,
    feedback: &Feedback,
    settings: &Settings,
    now: Timestamp,
) -> Option<Received> {
    let state = next(delivery.state, &feedback.what)?;
    let suppressed = match &feedback.what {
        Fate::Bounced {
            bad_mailbox: true,
            reason,
        } => Some((SuppressionReason::Bounced, reason.as_str())),
        Fate::Complained if settings.suppress_complaints => {
            Some((SuppressionReason::Complained, ""))
        }
        Fate::Delivered | Fate::Bounced { .. } | Fate::Complained => None,
    };
    let suppression =
        suppressed.map(|(reason, said)| suppress(&request.address, reason, said, settings, now));
    let mut told = vec![told(delivery.id.ordinal, feedback)];
    told.extend(suppression.as_ref().map(|entry| EventKind::Suppressed {
        reason: entry.reason.as_str().to_owned(),
        until: entry.until.map(Timestamp::unix_seconds),
    }));
    let key = request.address.key();
    let events = told
        .into_iter()
        .map(|what| event_of(request, key, now, what));
    Some(Received {
        state,
        events: events.collect(),
        suppression,
    })
}

fn next(before: DeliveryState, fate: &Fate) -> Option<DeliveryState> {
    use DeliveryState::{Abandoned, Bounced, Complained, Delivered, Failed, Queued, Sent};
    match (fate, before) {
        // Queued, failed and abandoned too: the answer to DATA may have been lost.
        (Fate::Delivered, Queued | Sent | Failed | Abandoned) => Some(Delivered),
        (Fate::Bounced { .. }, Queued | Sent | Delivered | Failed | Abandoned) => Some(Bounced),
        (Fate::Complained, Queued | Sent | Delivered | Bounced | Failed | Abandoned) => {
            Some(Complained)
        }
        (Fate::Delivered, Delivered | Bounced | Complained)
        | (Fate::Bounced { .. }, Bounced | Complained)
        | (Fate::Complained, Complained) => None,
    }
}

fn told(delivery: u16, feedback: &Feedback) -> EventKind {
    let provider = feedback.provider.as_str().to_owned();
    match feedback.what.clone() {
        Fate::Delivered => EventKind::MailDelivered { delivery, provider },
        Fate::Bounced {
            bad_mailbox,
            reason,
        } => EventKind::MailBounced {
            delivery,
            provider,
            bad_mailbox,
            reason,
        },
        Fate::Complained => EventKind::MailComplained { delivery, provider },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DeliveryId, HookProvider};
    use crate::rules::fixtures::{at, request};
    use crate::rules::issue::queue;

    fn in_state(state: DeliveryState) -> Delivery {
        let id = DeliveryId {
            request: request().id,
            ordinal: 0,
        };
        Delivery {
            state,
            ..queue(id, 0, at(0))
        }
    }

    fn bounced(bad_mailbox: bool) -> Fate {
        Fate::Bounced {
            bad_mailbox,
            reason: "5.1.1 no such user".to_owned(),
        }
    }

    fn told(state: DeliveryState, what: Fate, settings: &Settings) -> Option<Received> {
        let feedback = Feedback {
            provider: HookProvider::Postmark,
            what,
        };
        receive(&in_state(state), &request(), &feedback, settings, at(5))
    }

    #[test]
    fn a_word_that_is_told_again_changes_nothing() {
        for fate in [Fate::Delivered, bounced(true), Fate::Complained] {
            let first = told(DeliveryState::Sent, fate.clone(), &Settings::default()).unwrap();
            assert_eq!(told(first.state, fate, &Settings::default()), None);
        }
    }

    #[test]
    fn a_word_that_comes_late_does_not_undo_a_worse_one() {
        let after = |state, fate| told(state, fate, &Settings::default()).map(|r| r.state);
        assert_eq!(after(DeliveryState::Bounced, Fate::Delivered), None);
        assert_eq!(after(DeliveryState::Complained, bounced(true)), None);
        assert_eq!(
            after(DeliveryState::Delivered, bounced(true)),
            Some(DeliveryState::Bounced)
        );
        assert_eq!(
            after(DeliveryState::Delivered, Fate::Complained),
            Some(DeliveryState::Complained)
        );
    }

    #[test]
    fn a_mail_whose_answer_was_lost_is_known_to_be_delivered_after_all() {
        for state in [DeliveryState::Queued, DeliveryState::Failed] {
            let after = told(state, Fate::Delivered, &Settings::default()).unwrap();
            assert_eq!(after.state, DeliveryState::Delivered);
        }
    }

    #[test]
    fn only_a_bad_mailbox_suppresses_and_a_complaint_where_the_settings_say_so() {
        let reason = |fate, settings: &Settings| {
            let after = told(DeliveryState::Sent, fate, settings).unwrap();
            after.suppression.map(|entry| entry.reason)
        };
        let settings = Settings::default();
        assert_eq!(
            reason(bounced(true), &settings),
            Some(SuppressionReason::Bounced)
        );
        assert_eq!(reason(bounced(false), &settings), None);
        assert_eq!(reason(Fate::Delivered, &settings), None);
        assert_eq!(reason(Fate::Complained, &settings), None);
        let strict = Settings {
            suppress_complaints: true,
            ..settings
        };
        assert_eq!(
            reason(Fate::Complained, &strict),
            Some(SuppressionReason::Complained)
        );
    }
}
