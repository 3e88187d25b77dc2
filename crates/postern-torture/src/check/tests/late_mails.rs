//! Mails of credentials that are spent.

use super::*;

/// Somebody whose mail no server took for as long as the code lived.
pub(super) fn add(evidence: &mut Evidence) {
    evidence.troubles.push(Trouble {
        fault: Fault::DeadMail,
        start: 100_000,
        end: 170_000,
        mending: 0,
        recovered: Some(10),
        whole: false,
    });
    // The next one's comes when the server is back.
    evidence.calls.push(send(170_000, "pam", 9));
    evidence.finals.insert(id(9), "INVALID_CODE".into());
    evidence.kept.insert(id(9), open("pam"));
    evidence.mails.push(Mail {
        to: "pam".into(),
        ..mail(170_100, 9, 0)
    });
    evidence.calls.push(send(101_001, "zoe", 8));
    evidence.finals.insert(id(8), "AUTH_REQUEST_EXPIRED".into());
    let mut zoe = open("zoe");
    zoe.mailings = [(0, mailing(DeliveryState::Abandoned))].into();
    zoe.events.pop();
    let given_up = EventKind::MailAbandoned {
        delivery: 0,
        reason: "expired".into(),
    };
    zoe.events.push((61_000, given_up));
    evidence.kept.insert(id(8), zoe);
}

/// The run in which this mail came at that moment, and not when it did.
fn mailed_at(request: u8, at: u64) -> Evidence {
    let mut evidence = good();
    let mut mails = evidence.mails.iter_mut();
    let of = |mail: &&mut Mail| mail.id.contains(&id(request)) && mail.id.contains(".0@");
    mails.find(of).expect("they were mailed").at = at;
    evidence
}

#[test]
fn a_mail_long_after_the_end_of_its_credential_is_found() {
    for (request, end, why) in [
        (1, 310, "used"),
        (4, 63_010, "expired"),
        (5, 1_210, "dead"),
        (6, 1_210, "replaced"),
    ] {
        assert_eq!(broken(&mailed_at(request, end + 32_000)), NONE, "{why}");
        let late = mailed_at(request, end + 32_001);
        assert_eq!(broken(&late), [SILENT], "{why}");
    }
}

#[test]
fn a_mail_that_was_taken_up_after_the_end_of_its_credential_is_found() {
    for (request, seen, end) in [
        (1, 310, 300),
        (4, 63_010, 60_000),
        (5, 1_210, 1_200),
        (6, 1_210, 1_200),
    ] {
        let mut evidence = mailed_at(request, seen + 1);
        for (begun_at, found) in [(end + 2_000, false), (end + 2_001, true)] {
            let kept = evidence.kept.get_mut(&id(request)).unwrap();
            kept.mailings.get_mut(&0).unwrap().begun_at = begun_at;
            let expected: &[&str] = if found { &[SILENT] } else { &[] };
            assert_eq!(broken(&evidence), expected, "{request} at {begun_at}");
        }
    }
}

#[test]
fn a_mail_that_came_though_no_server_took_it_while_its_credential_lived_is_found() {
    let mut evidence = good();
    evidence.mails.push(Mail {
        to: "zoe".into(),
        ..mail(171_000, 8, 0)
    });
    assert_eq!(broken(&evidence), [OUTLIVED]);
    let mut evidence = good();
    let zoe = evidence.kept.get_mut(&id(8)).unwrap();
    *zoe = open("zoe");
    assert_eq!(broken(&evidence), [MAILED, OUTLIVED]);
}
