//! Each promise, broken by hand: the checker must say so, and say nothing of the others.

use postern_core::model::{DeliveryState, EventKind, Method, State, UsedBy};

mod classes;
mod late_mails;
mod spent;

use super::*;
use crate::history::Fault;
use crate::kept::Mailing;

fn id(number: u8) -> String {
    postern_core::model::AuthRequestId::from_bytes([number; 16]).to_string()
}

fn call(start: u64, act: Act, outcome: Outcome) -> Call {
    Call {
        node: 0,
        rest: true,
        start,
        end: start + 10,
        act,
        outcome,
        told: String::new(),
    }
}

fn send(start: u64, to: &str, request: u8) -> Call {
    let act = Act::Send {
        to: to.into(),
        lifetime: 60,
    };
    call(start, act, Outcome::Sent(id(request)))
}

fn verify(start: u64, code: &str, outcome: Outcome) -> Call {
    verify_of(1, start, code, outcome)
}

fn verify_of(request: u8, start: u64, code: &str, outcome: Outcome) -> Call {
    let act = Act::Verify {
        request: id(request),
        code: code.into(),
        right: outcome == Outcome::Verified,
    };
    call(start, act, outcome)
}

fn resend(start: u64, outcome: Outcome) -> Call {
    resend_of(1, start, outcome)
}

fn resend_of(request: u8, start: u64, outcome: Outcome) -> Call {
    let act = Act::Resend {
        to: "ada".into(),
        request: id(request),
    };
    call(start, act, outcome)
}

fn wrong(start: u64, code: u8) -> Call {
    wrong_of(1, start, code)
}

fn wrong_of(request: u8, start: u64, code: u8) -> Call {
    let code = format!("{code:010}");
    verify_of(request, start, &code, refused("INVALID_CODE"))
}

fn refused(why: &str) -> Outcome {
    Outcome::Refused(why.into())
}

fn mail(at: u64, request: u8, ordinal: u16) -> Mail {
    Mail {
        at,
        to: "ada".into(),
        code: format!("{request}00000000{ordinal}"),
        id: format!("<{}.{ordinal}@mail.example>", id(request)),
        answered: true,
    }
}

fn initiated() -> EventKind {
    EventKind::Initiated {
        email: "ada".into(),
        method: Method::Otp,
        template: None,
        hardened: false,
        expires_in: 60,
    }
}

fn wrong_code() -> EventKind {
    EventKind::WrongCode {
        attempts_left: 4,
        budgeted: true,
    }
}

fn sent(delivery: u16) -> EventKind {
    EventKind::MailSent {
        delivery,
        attempts: 1,
        provider: "sink".into(),
        reply: "250 ok".into(),
    }
}

/// A request that was mailed and has not been used.
fn open(to: &str) -> Kept {
    let queued = EventKind::MailQueued { delivery: 0 };
    Kept {
        to: to.into(),
        state: State::Open,
        expires_at: 60_000,
        hardened: false,
        generation: 0,
        mailings: [(0, mailing(DeliveryState::Sent))].into(),
        events: vec![(0, initiated()), (0, queued), (50, sent(0))],
    }
}

fn mailing(state: DeliveryState) -> Mailing {
    Mailing {
        state,
        generation: 0,
        begun_at: 0,
    }
}

/// One request that was sent, mailed, guessed at once and used, and a node that was told to stop.
fn good() -> Evidence {
    let mut kept = open("ada");
    kept.state = State::Used(UsedBy::Code);
    kept.events.push((200, wrong_code()));
    kept.events
        .push((300, EventKind::Verified { by: UsedBy::Code }));
    let mut evidence = Evidence {
        calls: vec![
            send(0, "ada", 1),
            wrong(200, 1),
            verify(300, "1000000000", Outcome::Verified),
        ],
        mails: vec![mail(100, 1, 0)],
        finals: HashMap::from([(id(1), "AUTH_REQUEST_USED".into())]),
        kept: [(id(1), kept)].into(),
        budget: 8,
        drain: 1_000,
        ..Evidence::default()
    };
    trouble(&mut evidence, Fault::Terminate(0), 290);
    spent::add(&mut evidence);
    late_mails::add(&mut evidence);
    evidence
}

fn trouble(evidence: &mut Evidence, fault: Fault, start: u64) {
    evidence.troubles.push(Trouble {
        fault,
        start,
        end: start + 2_000,
        mending: 0,
        recovered: Some(10),
        whole: true,
    });
}

/// Another request, of somebody who was mailed and did not come.
fn and_bob(evidence: &mut Evidence) -> &mut Kept {
    evidence.calls.push(send(900, "bob", 2));
    evidence.mails.push(Mail {
        to: "bob".into(),
        ..mail(950, 2, 0)
    });
    evidence.finals.insert(id(2), "INVALID_CODE".into());
    evidence.kept.insert(id(2), open("bob"));
    evidence.kept.get_mut(&id(2)).expect("just put there")
}

/// The beginnings of the promises that are broken.
fn broken(evidence: &Evidence) -> Vec<&'static str> {
    let judged = check(evidence).into_iter();
    judged
        .filter(|promise| !promise.broken.is_empty())
        .map(|promise| promise.what.split(',').next().unwrap_or_default())
        .collect()
}

const NONE: [&str; 0] = [];
const EXISTS: &str = "every acknowledged send exists afterwards";
const MAILED: &str = "the mail of every acknowledged send was sent";
const ASKED_FOR: &str = "every mail was asked for";
const ONCE: &str = "every auth request was accepted at most once";
const IN_TIME: &str = "none was accepted after its end";
const EARLY: &str = "no right code was refused as expired before its end";
const REPLACED: &str = "none was accepted by a code that a resend had replaced";
const DEAD: &str = "none was accepted after its fifth wrong code";
const FIVE: &str = "no request counted more than five wrong codes";
const BUDGETS: &str = "no address counted more wrong codes than its budget";
const QUOTAS: &str = "no address got more mails than its quota";
const SILENT: &str = "no mail was sent after its credential was spent";
const OUTLIVED: &str = "what no mail server took while its credential lived was given up";
const REPEATS: &str = "a mail was repeated only where its answer was lost";
const AGREE: &str = "the events of every request agree with what its clients saw";
const NOT_DONE: &str = "what was told to be not done was not done";
const CLASSES: &str = "no unexpected class of error";
const DRAINING: &str = "no call failed on a draining node";
const FLOW: &str = "mails flow again when their server is back";
const RECOVERY: &str = "service is normal within 5 s of a fault";

#[test]
fn a_run_in_which_all_went_well_breaks_no_promise_and_tests_each() {
    let judged = check(&good());
    for promise in judged {
        assert!(promise.broken.is_empty(), "{promise:?}");
        assert!(promise.tested > 0, "{promise:?}");
    }
}

#[test]
fn a_lost_send_is_found() {
    let mut evidence = good();
    and_bob(&mut evidence);
    assert_eq!(broken(&evidence), NONE);
    evidence.kept.remove(&id(2));
    assert_eq!(broken(&evidence), [EXISTS]);
    let mut evidence = good();
    and_bob(&mut evidence);
    evidence
        .finals
        .insert(id(2), "AUTH_REQUEST_NOT_FOUND".into());
    assert_eq!(broken(&evidence), [EXISTS]);
}

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
fn a_second_acceptance_and_a_forgotten_one_are_found() {
    let mut evidence = good();
    let again = verify(400, "1000000000", Outcome::Verified);
    evidence.calls.push(again);
    assert_eq!(broken(&evidence), [ONCE, AGREE]);
    let mut evidence = good();
    evidence.finals.insert(id(1), "INVALID_CODE".into());
    assert_eq!(broken(&evidence), [ONCE]);
    let mut evidence = good();
    let ada = evidence.kept.get_mut(&id(1)).unwrap();
    ada.state = State::Open;
    assert_eq!(broken(&evidence), [ONCE, AGREE]);
}

#[test]
fn a_passed_budget_is_found_by_what_clients_saw_and_by_what_is_stored() {
    let mut evidence = good();
    evidence.budget = 0;
    assert_eq!(broken(&evidence), [BUDGETS]);
    let found = check(&evidence);
    let budgets = found
        .iter()
        .find(|promise| promise.what.starts_with(BUDGETS));
    assert_eq!(budgets.unwrap().broken.len(), 4, "of two, in two ways");
}

#[test]
fn a_third_mail_within_a_minute_is_found() {
    let mut evidence = good();
    for (request, start) in [(2, 20_000), (3, 40_000)] {
        evidence.calls.push(send(start, "ada", request));
        evidence.mails.push(mail(start, request, 0));
        evidence.finals.insert(id(request), "INVALID_CODE".into());
        evidence.kept.insert(id(request), open("ada"));
    }
    assert_eq!(broken(&evidence), [QUOTAS]);
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

#[test]
fn a_request_that_was_not_found_for_a_while_is_found() {
    let mut evidence = good();
    let missed = refused("AUTH_REQUEST_NOT_FOUND");
    evidence.calls.push(verify(250, "1000000000", missed));
    assert_eq!(broken(&evidence), [EXISTS]);
}

#[test]
fn events_that_were_lost_doubled_or_made_up_are_found() {
    for at in 0..5 {
        let mut lost = good();
        lost.kept.get_mut(&id(1)).unwrap().events.remove(at);
        assert_eq!(broken(&lost), [AGREE], "the event {at} is lost");
        let mut doubled = good();
        let ada = doubled.kept.get_mut(&id(1)).unwrap();
        ada.events.insert(at, ada.events[at].clone());
        assert_eq!(broken(&doubled), [AGREE], "the event {at} is doubled");
    }
    let mut after = good();
    let ada = after.kept.get_mut(&id(1)).unwrap();
    ada.events.swap(3, 4);
    assert_eq!(broken(&after), NONE, "clocks differ a little");
    let ada = after.kept.get_mut(&id(1)).unwrap();
    ada.events[4].0 = 2_301;
    assert_eq!(broken(&after), [AGREE], "a code is counted after the end");
}

#[test]
fn an_unknown_call_may_have_left_an_event() {
    let mut evidence = good();
    evidence.calls[1].outcome = Outcome::Unknown;
    trouble(&mut evidence, Fault::Kill(0), 150);
    assert_eq!(broken(&evidence), NONE, "nobody knows");
}

#[test]
fn what_was_done_though_told_otherwise_is_found() {
    let mut evidence = good();
    and_bob(&mut evidence);
    let act = Act::Send {
        to: "bob".into(),
        lifetime: 60,
    };
    evidence.calls.push(call(5_000, act, Outcome::NotDone));
    assert_eq!(broken(&evidence), NONE);
    evidence.kept.insert(id(3), open("bob"));
    assert_eq!(broken(&evidence), [NOT_DONE]);
    evidence.calls.last_mut().unwrap().outcome = Outcome::Unknown;
    assert_eq!(broken(&evidence), NONE);
}

#[test]
fn a_call_that_a_draining_node_failed_is_found() {
    let send = |start, outcome| {
        let act = Act::Send {
            to: "bob".into(),
            lifetime: 60,
        };
        call(start, act, outcome)
    };
    for (start, outcome, fails) in [
        (600, Outcome::NotDone, true),
        (600, Outcome::Unreached, true),
        (600, Outcome::Unknown, true),
        (1_500, Outcome::Unreached, false),
        (1_500, Outcome::Unknown, false),
    ] {
        let mut evidence = good();
        evidence.calls.push(send(start, outcome.clone()));
        let found = broken(&evidence);
        assert_eq!(
            found == [DRAINING],
            fails,
            "{outcome:?} at {start}: {found:?}"
        );
    }
}

#[test]
fn a_call_that_waits_since_an_earlier_fault_is_not_blamed_on_the_node_that_drains_now() {
    let mut evidence = good();
    let stop = evidence.troubles[0].start;
    let act = Act::Send {
        to: "bob".into(),
        lifetime: 60,
    };
    evidence.calls.push(Call {
        end: stop + 10,
        ..call(stop - 100, act, Outcome::NotDone)
    });
    assert_eq!(broken(&evidence), [DRAINING]);
    evidence.troubles.push(Trouble {
        fault: Fault::Overload,
        start: stop - 200,
        end: stop - 150,
        ..evidence.troubles[0]
    });
    assert_eq!(broken(&evidence), NONE);
}

#[test]
fn a_slow_recovery_is_found() {
    for recovered in [None, Some(5_001)] {
        let mut evidence = good();
        evidence.troubles[0].recovered = recovered;
        assert_eq!(broken(&evidence), [RECOVERY]);
    }
}

#[test]
fn a_mail_server_that_is_back_and_gets_nothing_is_found() {
    let mut evidence = good();
    evidence.mails.pop();
    assert!(broken(&evidence).contains(&FLOW), "none came");
    let mut evidence = good();
    evidence.mails.last_mut().unwrap().at = 236_001;
    assert!(broken(&evidence).contains(&FLOW), "it came late");
}

#[test]
fn a_mail_server_that_was_soon_in_trouble_again_is_not_asked_for_mails_in_between() {
    let mut evidence = good();
    let before = evidence
        .troubles
        .iter()
        .find(|trouble| trouble.fault.holds_mails_back() > 0);
    let again = before.copied().expect("there is one");
    let lasted = again.end - again.start;
    evidence.mails.last_mut().unwrap().at = again.end + 100 + lasted + 500;
    evidence.troubles.push(Trouble {
        start: again.end + 100,
        end: again.end + 100 + lasted,
        ..again
    });
    assert!(!broken(&evidence).contains(&FLOW));
}
