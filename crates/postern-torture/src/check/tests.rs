//! Each promise, broken by hand: the checker must say so, and say nothing of the others.

use super::*;

fn call(start: u64, act: Act, outcome: Outcome) -> Call {
    Call {
        start,
        end: start + 10,
        act,
        outcome,
    }
}

fn send(start: u64, to: &str, request: &str) -> Call {
    let act = Act::Send { to: to.into() };
    call(start, act, Outcome::Sent(request.into()))
}

fn verify(start: u64, request: &str, code: &str, outcome: Outcome) -> Call {
    let act = Act::Verify {
        request: request.into(),
        code: code.into(),
        right: outcome == Outcome::Verified,
    };
    call(start, act, outcome)
}

fn wrong(start: u64, code: &str) -> Call {
    verify(start, "r1", code, Outcome::Refused("INVALID_CODE".into()))
}

fn mail(at: u64, to: &str, id: &str) -> Mail {
    Mail {
        at,
        to: to.into(),
        code: "1234567890".into(),
        id: id.into(),
    }
}

/// One request that was sent, mailed and used, as it should be.
fn good() -> Evidence {
    Evidence {
        calls: vec![
            send(0, "ada", "r1"),
            wrong(200, "1"),
            verify(300, "r1", "c", Outcome::Verified),
        ],
        mails: vec![mail(100, "ada", "m1")],
        finals: HashMap::from([("r1".into(), "AUTH_REQUEST_USED".into())]),
        recovered: Some(100),
        lifetime: 60_000,
        ..Evidence::default()
    }
}

/// The promises that are broken.
fn broken(evidence: &Evidence) -> Vec<&'static str> {
    let judged = check(evidence).into_iter();
    judged
        .filter(|promise| !promise.broken.is_empty())
        .map(|promise| promise.what.split(',').next().unwrap_or_default())
        .collect()
}

#[test]
fn a_run_in_which_all_went_well_breaks_no_promise_and_tests_each() {
    let judged = check(&good());
    assert!(judged.iter().all(|promise| promise.broken.is_empty()));
    assert!(
        judged.iter().all(|promise| promise.tested > 0),
        "{judged:?}"
    );
}

#[test]
fn a_lost_send_is_found() {
    let mut evidence = good();
    evidence.calls.push(send(900, "bob", "r2"));
    evidence.mails.push(mail(950, "bob", "m2"));
    evidence
        .finals
        .insert("r2".into(), "AUTH_REQUEST_NOT_FOUND".into());
    assert_eq!(
        broken(&evidence),
        ["every acknowledged send exists afterwards"]
    );
}

#[test]
fn a_lost_mail_is_found_and_a_spent_request_is_owed_none() {
    let mut evidence = good();
    evidence.calls.push(send(900, "bob", "r2"));
    evidence.finals.insert("r2".into(), "INVALID_CODE".into());
    assert_eq!(broken(&evidence), ["every acknowledged send was mailed"]);
    evidence
        .finals
        .insert("r2".into(), "TOO_MANY_ATTEMPTS".into());
    assert_eq!(broken(&evidence), Vec::<&str>::new());
}

#[test]
fn a_second_acceptance_and_a_forgotten_one_are_found() {
    let once = "every auth request was accepted at most once";
    let mut evidence = good();
    evidence
        .calls
        .push(verify(400, "r1", "c", Outcome::Verified));
    assert_eq!(broken(&evidence), [once]);
    let mut evidence = good();
    evidence.finals.insert("r1".into(), "INVALID_CODE".into());
    assert_eq!(broken(&evidence), [once]);
}

#[test]
fn an_acceptance_after_the_end_is_found_unless_a_resend_may_have_moved_the_end() {
    let mut evidence = good();
    evidence.calls[2] = verify(70_000, "r1", "c", Outcome::Verified);
    assert_eq!(broken(&evidence), ["none was accepted after its end"]);
    let act = Act::Resend {
        to: "ada".into(),
        request: "r1".into(),
    };
    evidence.calls.push(call(50_000, act, Outcome::Unknown));
    let mut faulty = evidence;
    faulty.faults.push((40_000, Fault::Kill(0)));
    assert_eq!(broken(&faulty), Vec::<&str>::new());
}

#[test]
fn a_sixth_counted_code_and_an_acceptance_after_the_fifth_are_found() {
    let five = "no request counted more than five wrong codes";
    let mut evidence = good();
    evidence
        .calls
        .extend(["2", "3", "4", "5"].map(|code| wrong(250, code)));
    assert_eq!(broken(&evidence), [five]);
    let mut evidence = good();
    let codes = ["2", "3", "4", "5", "6"];
    evidence.calls.extend(codes.map(|code| wrong(400, code)));
    assert_eq!(broken(&evidence), [five]);
    let mut evidence = good();
    evidence.calls.extend([wrong(400, "1"); 1]);
    assert_eq!(
        broken(&evidence),
        Vec::<&str>::new(),
        "a repeat is not counted"
    );
}

#[test]
fn a_third_mail_within_a_minute_is_found() {
    let mut evidence = good();
    for (n, start) in [(2, 20_000), (3, 40_000)] {
        let request = format!("r{n}");
        evidence.calls.push(send(start, "ada", &request));
        evidence.mails.push(mail(start, "ada", &request));
        evidence.finals.insert(request, "INVALID_CODE".into());
    }
    assert_eq!(
        broken(&evidence),
        ["no address got more mails than its quota"]
    );
}

#[test]
fn a_mail_long_after_its_use_is_found() {
    let mut evidence = good();
    evidence.mails.push(mail(40_000, "ada", "m2"));
    assert_eq!(
        broken(&evidence),
        ["no mail was sent after its credential was spent"]
    );
}

#[test]
fn a_repeated_mail_needs_an_excuse() {
    let mut evidence = good();
    evidence.mails.push(mail(120, "ada", "m1"));
    assert_eq!(
        broken(&evidence),
        ["a mail was repeated only where a worker died or stood still"]
    );
    evidence.faults.push((50, Fault::Kill(0)));
    assert_eq!(broken(&evidence), Vec::<&str>::new());
}

#[test]
fn an_internal_error_and_a_node_that_died_are_found() {
    let mut evidence = good();
    let refused = Outcome::Refused("INTERNAL".into());
    evidence.calls.push(verify(500, "r1", "c", refused));
    assert_eq!(broken(&evidence), ["no unexpected class of error"]);
    let evidence = Evidence {
        deaths: 1,
        ..good()
    };
    assert_eq!(broken(&evidence), ["no unexpected class of error"]);
}

#[test]
fn a_slow_recovery_is_found() {
    for recovered in [None, Some(5_001)] {
        let evidence = Evidence {
            recovered,
            ..good()
        };
        assert_eq!(
            broken(&evidence),
            ["service is normal within 5 s of the last fault"]
        );
    }
}
