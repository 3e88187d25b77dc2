//! Right codes that come too late.

use super::*;

/// Requests of three people who typed the right code when it was right no longer: expired, dead after
/// five wrong ones, and replaced by a resend.
pub(super) fn add(evidence: &mut Evidence) {
    for (request, to) in [(4, "eve"), (5, "dan"), (6, "rob")] {
        evidence.calls.push(send(1_000, to, request));
        evidence.mails.push(Mail {
            to: to.into(),
            ..mail(1_100, request, 0)
        });
        evidence.finals.insert(id(request), "whatever".into());
        evidence.kept.insert(id(request), open(to));
    }
    let calls = &mut evidence.calls;
    let late = refused("AUTH_REQUEST_EXPIRED");
    calls.push(verify_of(4, 64_000, "4000000000", late));
    // Another one came in time.
    calls.push(send(1_000, "tim", 7));
    evidence.mails.push(Mail {
        to: "tim".into(),
        ..mail(1_100, 7, 0)
    });
    calls.push(verify_of(7, 58_000, "7000000000", Outcome::Verified));
    evidence.kept.insert(id(7), open("tim"));
    evidence.finals.insert(id(7), "AUTH_REQUEST_USED".into());
    use_up(evidence.kept.get_mut(&id(7)).expect("just put there"));

    let dan = evidence.kept.get_mut(&id(5)).expect("just put there");
    dan.state = State::Dead;
    for code in 1..=5 {
        calls.push(wrong_of(5, 1_200, code));
        dan.events.push((1_200, wrong_code()));
    }
    dan.events.push((1_200, EventKind::Locked));
    let dead = refused("TOO_MANY_ATTEMPTS");
    calls.push(verify_of(5, 1_300, "5000000000", dead));

    let rob = evidence.kept.get_mut(&id(6)).expect("just put there");
    regenerate(rob, 1_200);
    calls.push(resend_of(6, 1_200, Outcome::Sent(id(6))));
    evidence.mails.push(Mail {
        to: "rob".into(),
        ..mail(1_300, 6, 1)
    });
    let old = refused("CODE_SUPERSEDED");
    calls.push(verify_of(6, 1_400, "6000000000", old));
}

fn use_up(kept: &mut Kept) {
    kept.state = State::Used(UsedBy::Code);
    let verified = EventKind::Verified { by: UsedBy::Code };
    kept.events.push((58_000, verified));
}

/// Another generation, and its mail.
fn regenerate(kept: &mut Kept, at: i64) {
    let (regenerated, generation) = (true, 1);
    let resent = EventKind::Resent {
        regenerated,
        generation,
    };
    let queued = EventKind::MailQueued { delivery: 1 };
    kept.events
        .extend([(at, resent), (at, queued), (at + 50, sent(1))]);
    kept.generation = generation;
    let newer = Mailing {
        generation,
        ..mailing(DeliveryState::Sent)
    };
    kept.mailings.insert(1, newer);
}

/// The run in which this person's last verify had another outcome.
fn accepted_instead(request: u8) -> Evidence {
    let mut evidence = good();
    let calls = evidence.calls.iter_mut().rev();
    let mut of = calls
        .filter(|call| matches!(&call.act, Act::Verify { request: of, .. } if *of == id(request)));
    of.next().expect("they verified").outcome = Outcome::Verified;
    use_up(evidence.kept.get_mut(&id(request)).expect("they sent"));
    evidence
        .finals
        .insert(id(request), "AUTH_REQUEST_USED".into());
    evidence
}

fn tested(evidence: &Evidence, what: &str) -> usize {
    let judged = check(evidence).into_iter();
    let of = judged.filter(|promise| promise.what.starts_with(what));
    of.map(|promise| promise.tested).sum()
}

#[test]
fn an_acceptance_after_the_end_is_found_unless_a_resend_may_have_moved_the_end() {
    let mut evidence = accepted_instead(4);
    assert_eq!(broken(&evidence), [IN_TIME]);
    evidence.calls.push(resend_of(4, 50_000, Outcome::Unknown));
    trouble(&mut evidence, Fault::Kill(0), 49_900);
    assert_eq!(broken(&evidence), NONE);
}

#[test]
fn an_acceptance_by_a_code_that_a_resend_replaced_is_found() {
    assert_eq!(broken(&accepted_instead(6)), [REPLACED]);
}

#[test]
fn an_acceptance_after_the_fifth_wrong_code_is_found() {
    let mut evidence = accepted_instead(5);
    assert_eq!(broken(&evidence), [DEAD, AGREE]);
    let dan = evidence.kept.get_mut(&id(5)).unwrap();
    let locked = dan
        .events
        .iter()
        .position(|(_, event)| *event == EventKind::Locked);
    dan.events.remove(locked.unwrap());
    assert_eq!(broken(&evidence), [DEAD]);
}

#[test]
fn a_code_that_expires_too_early_is_found() {
    let mut evidence = good();
    let early = refused("AUTH_REQUEST_EXPIRED");
    let tim = evidence
        .calls
        .iter_mut()
        .find(|call| call.start == 58_000)
        .unwrap();
    tim.outcome = early;
    evidence.kept.insert(id(7), open("tim"));
    assert_eq!(broken(&evidence), [EARLY]);
}

#[test]
fn only_a_right_code_that_was_answered_puts_a_late_one_to_the_test() {
    for (request, what) in [(4, IN_TIME), (5, DEAD), (6, REPLACED)] {
        let mut evidence = good();
        assert_eq!(tested(&evidence, what), 1);
        let of = |call: &Call| matches!(&call.act, Act::Verify { request: of, .. } if *of == id(request));
        let last = evidence.calls.iter().rposition(of).unwrap();
        for outcome in [
            Outcome::NotDone,
            Outcome::Unknown,
            refused("AUTH_REQUEST_USED"),
        ] {
            evidence.calls[last].outcome = outcome;
            assert_eq!(tested(&evidence, what), 0);
        }
        let mut evidence = good();
        evidence
            .mails
            .retain(|mail| !mail.code.starts_with(&request.to_string()));
        assert_eq!(tested(&evidence, what), 0, "nobody knows the code");
    }
}

#[test]
fn a_sixth_counted_code_is_found() {
    let mut evidence = good();
    let ada = evidence.kept.get_mut(&id(1)).unwrap();
    for code in 2..=6 {
        ada.events.insert(3, (200, wrong_code()));
        evidence.calls.push(wrong(290, code));
    }
    assert_eq!(broken(&evidence), [FIVE]);
    let mut evidence = good();
    evidence.calls.push(wrong(400, 1));
    assert_eq!(broken(&evidence), NONE, "a repeat is not counted");
}
