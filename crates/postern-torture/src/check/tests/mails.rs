//! Mails that did not come, came twice, or came to nobody who asked.

use super::*;

#[test]
fn a_mail_that_was_written_down_as_sent_and_never_came_is_found() {
    let mut evidence = good();
    and_bob(&mut evidence);
    evidence.mails.pop();
    assert_eq!(broken(&evidence), [MAILED]);
}

/// Bob's mail in this state, given up at this moment with this event.
fn given_up(state: DeliveryState, at: i64, event: Option<EventKind>) -> Evidence {
    let mut evidence = good();
    let bob = and_bob(&mut evidence);
    bob.mailings = [(0, mailing(state))].into();
    bob.events.pop();
    bob.events.extend(event.map(|event| (at, event)));
    evidence.mails.pop();
    evidence
}

#[test]
fn a_mail_is_given_up_only_for_a_reason_that_holds() {
    let abandoned = |reason: &str| EventKind::MailAbandoned {
        delivery: 0,
        reason: reason.into(),
    };
    let failed = EventKind::MailFailed {
        delivery: 0,
        attempts: 9,
        bounced: false,
        provider: None,
        reason: "no provider".into(),
    };
    let state = DeliveryState::Abandoned;
    for (at, reason, excused) in [
        (60_001, "expired", true),
        (30_000, "expired", false),
        (60_001, "used", false),
        (60_001, "dead", false),
        (60_001, "superseded", false),
        (60_001, "gone", false),
    ] {
        let found = broken(&given_up(state, at, Some(abandoned(reason))));
        assert_eq!(found.is_empty(), excused, "{reason} at {at}: {found:?}");
    }
    assert_eq!(broken(&given_up(state, 0, None)), [MAILED]);
    assert_eq!(broken(&given_up(DeliveryState::Queued, 0, None)), [MAILED]);
    let late = given_up(DeliveryState::Failed, 1_000, Some(failed));
    assert_eq!(broken(&late), NONE);
}

#[test]
fn a_bounce_needs_somebody_who_refused() {
    let mut evidence = given_up(DeliveryState::Bounced, 0, None);
    assert_eq!(broken(&evidence), [MAILED]);
    evidence.bounced.insert("bob".into());
    assert_eq!(broken(&evidence), NONE);
}

#[test]
fn a_repeated_mail_needs_a_cause_at_its_time() {
    let mut evidence = good();
    evidence.mails.push(mail(120, 1, 0));
    assert_eq!(broken(&evidence), [REPEATS]);
    trouble(&mut evidence, Fault::Kill(0), 50_000);
    assert_eq!(broken(&evidence), [REPEATS], "long after");
    trouble(&mut evidence, Fault::Kill(0), 1);
    assert_eq!(broken(&evidence), NONE);
    for (fault, excuses) in [
        (Fault::Disk, true),
        (Fault::Stop(0), true),
        (Fault::Overload, false),
        (Fault::Clock, false),
        (Fault::Slow(0), false),
        (Fault::LostAnswers, false),
    ] {
        evidence.troubles.last_mut().unwrap().fault = fault;
        assert_eq!(broken(&evidence).is_empty(), excuses, "{fault}");
    }
    let mut evidence = good();
    evidence.mails[0].answered = false;
    evidence.mails.push(mail(2_000, 1, 0));
    assert_eq!(broken(&evidence), NONE, "its answer was lost");
}

#[test]
fn a_mail_of_nobodys_is_found() {
    let mut evidence = good();
    evidence.mails[0].id = "<1@elsewhere.example>".into();
    assert_eq!(broken(&evidence), [MAILED, REPEATS]);
}

#[test]
fn a_mail_that_nobody_asked_for_is_found_unless_an_unknown_call_may_have() {
    let mut evidence = good();
    trouble(&mut evidence, Fault::Kill(0), 100);
    evidence.mails.push(mail(150, 1, 1));
    assert_eq!(broken(&evidence), [ASKED_FOR]);
    evidence.calls.push(resend(250, Outcome::Unknown));
    assert_eq!(broken(&evidence), NONE);

    let mut evidence = good();
    trouble(&mut evidence, Fault::Kill(0), 100);
    evidence.mails.push(mail(150, 3, 0));
    assert_eq!(broken(&evidence), [ASKED_FOR]);
    let act = Act::Send {
        to: "ada".into(),
        lifetime: 60,
    };
    evidence.calls.push(call(100, act, Outcome::Unknown));
    assert_eq!(broken(&evidence), NONE);

    let mut evidence = good();
    evidence.mails[0].to = "bob".into();
    assert_eq!(broken(&evidence), [ASKED_FOR], "it came to another");
}
