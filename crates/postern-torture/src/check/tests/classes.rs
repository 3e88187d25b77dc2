//! Answers that nobody expects, or not then.

use super::*;

fn answered(start: u64, outcome: Outcome) -> Evidence {
    let mut evidence = good();
    // Of nobody's request, so that only the class of the answer is judged.
    let act = Act::Send {
        to: "ada".into(),
        lifetime: 60,
    };
    evidence.calls.push(call(start, act, outcome));
    evidence
}

#[test]
fn an_internal_error_a_garbled_answer_and_a_node_that_died_are_found() {
    for outcome in [refused("INTERNAL"), Outcome::Garbled("502: <html>".into())] {
        let mut evidence = answered(2_000, outcome);
        assert_eq!(broken(&evidence), [CLASSES]);
        trouble(&mut evidence, Fault::Kill(0), 1_900);
        assert_eq!(broken(&evidence), [CLASSES], "no fault explains it");
    }
    let evidence = Evidence {
        deaths: vec!["node 0 ended by itself".into()],
        ..good()
    };
    assert_eq!(broken(&evidence), [CLASSES]);
}

#[test]
fn a_call_that_failed_needs_a_fault_of_its_time_and_its_node_that_explains_it() {
    let (not_done, unknown) = (Outcome::NotDone, Outcome::Unknown);
    for (outcome, fault, excuses) in [
        (&not_done, Fault::Kill(0), true),
        (&not_done, Fault::Kill(1), false),
        (&not_done, Fault::Database, true),
        (&not_done, Fault::Overload, true),
        (&not_done, Fault::DeadMail, false),
        (&not_done, Fault::Clock, false),
        (&unknown, Fault::Silent(1), true),
        (&unknown, Fault::Cut(1), false),
        (&unknown, Fault::LostAnswers, false),
        (&Outcome::Unreached, Fault::Kill(0), true),
        (&Outcome::Unreached, Fault::Database, false),
    ] {
        for (start, near) in [
            (199_980, false),
            (200_000, true),
            (207_000, true),
            (207_001, false),
        ] {
            let mut evidence = answered(start, outcome.clone());
            trouble(&mut evidence, fault, 200_000);
            let unexplained = broken(&evidence).contains(&CLASSES);
            assert_eq!(
                unexplained,
                !(excuses && near),
                "{outcome:?}, {fault}, {start} ms"
            );
        }
    }
}
