//! Each promise, broken by hand: the checker must say so, and say nothing of the others.

use postern_core::model::{DeliveryState, EventKind, Method, State, UsedBy};

mod classes;
mod late_mails;
mod mails;
mod service;
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
