//! Nodes that leave, and how soon all is well again.

use super::*;

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

#[test]
fn a_mail_server_that_fails_again_before_its_pause_is_over_is_left_alone_for_longer() {
    let lost = Fault::LostAnswers;
    let first = lost.mails_wait_until((1_000, 7_000), 0);
    assert_eq!(first, 18_000, "tried at 6 s, and at 16 s at the latest");
    let again = lost.mails_wait_until((15_500, 18_500), first);
    assert_eq!(again, 79_500, "failed at 16 s too");
    assert_eq!(lost.mails_wait_until((18_000, 19_000), first), 30_000);
    assert_eq!(Fault::Mail.mails_wait_until((15_500, 18_500), first), first);
    let (mut evidence, at) = (good(), 1_000_000);
    for start in [at, at + 10_000] {
        trouble(&mut evidence, lost, start);
    }
    let mail = evidence.mails.last().cloned().expect("there is one");
    evidence.mails.push(Mail {
        at: at + 60_000,
        ..mail
    });
    assert!(!broken(&evidence).contains(&FLOW));
    evidence.troubles.pop();
    assert!(broken(&evidence).contains(&FLOW), "it was tried soon");
}
