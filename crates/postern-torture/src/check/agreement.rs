use std::collections::{BTreeMap, HashMap, HashSet};

use postern_core::model::{DeliveryState, EventKind, State};

use super::proofs::is_code;
use super::{Evidence, Promise, SKEW, promise, resends, sends, verifies};
use crate::history::{Act, Outcome};
use crate::kept::Kept;

/// What clients were told about one request.
#[derive(Default)]
struct Told<'a> {
    resent: usize,
    verified: usize,
    wrong: HashSet<&'a str>,
    /// Calls whose outcome nobody knows.
    unknown_resends: usize,
    unknown_codes: HashSet<&'a str>,
}

pub(super) fn events(evidence: &Evidence) -> Promise {
    let mut told: HashMap<&str, Told<'_>> = HashMap::new();
    for (request, call) in resends(evidence) {
        let told = told.entry(request).or_default();
        told.resent += usize::from(matches!(call.outcome, Outcome::Sent(_)));
        told.unknown_resends += usize::from(call.outcome.is_unknown());
    }
    for (request, code, call) in verifies(evidence) {
        let told = told.entry(request).or_default();
        match &call.outcome {
            Outcome::Verified => told.verified += 1,
            outcome if outcome.is_unknown() => drop(told.unknown_codes.insert(code)),
            Outcome::Refused(why) if why == "INVALID_CODE" && code.len() > 1 => {
                told.wrong.insert(code);
            }
            _ => {}
        }
    }
    let nothing = Told::default();
    promise(
        "the events of every request agree with what its clients saw",
        evidence.kept.iter().map(|(request, kept)| {
            let told = told.get(&**request).unwrap_or(&nothing);
            disagreement(kept, told).map(|what| format!("{request}: {what}"))
        }),
    )
}

/// What the events of a request say otherwise than its clients or its own row, if anything.
fn disagreement(kept: &Kept, told: &Told<'_>) -> Option<String> {
    let count = |name: &str| {
        let events = kept.events.iter();
        events.filter(|(_, event)| event.name() == name).count()
    };
    let sent = kept
        .mailings
        .values()
        .filter(|mailing| mailing.state == DeliveryState::Sent)
        .count();
    let used = usize::from(matches!(kept.state, State::Used(_)));
    let verified = told.verified..=told.verified + told.unknown_codes.len();
    // A code of another form than the request's is no try; the form of hardened ones is not known here.
    let tries = told
        .wrong
        .iter()
        .filter(|code| is_code(code) && !kept.hardened);
    let wrong = tries.count()..=told.wrong.len() + told.unknown_codes.len();
    let resent = told.resent..=told.resent + told.unknown_resends;
    [
        ("initiated", 1..=1),
        ("resent", resent),
        ("mail_queued", kept.mailings.len()..=kept.mailings.len()),
        ("mail_sent", sent..=sent),
        ("wrong_code", wrong),
        (
            "locked",
            usize::from(kept.state == State::Dead)..=usize::from(kept.state == State::Dead),
        ),
        ("verified", verified),
        ("verified", used..=used),
    ]
    .into_iter()
    .find(|(name, range)| !range.contains(&count(name)))
    .map(|(name, range)| format!("{} times {name}, expected {range:?}", count(name)))
    .or_else(|| after_the_end(kept))
}

/// What happened to a request surely after it was used or dead: moments of several clocks may be told
/// in another order within the skew.
fn after_the_end(kept: &Kept) -> Option<String> {
    let ends = |event: &EventKind| matches!(event, EventKind::Verified { .. } | EventKind::Locked);
    let (ended, _) = kept.events.iter().find(|(_, event)| ends(event))?;
    let counts = |event: &EventKind| {
        matches!(
            event,
            EventKind::WrongCode { .. } | EventKind::Resent { .. }
        )
    };
    let mut events = kept.events.iter();
    let late = events.find(|(at, event)| counts(event) && *at > ended + SKEW.cast_signed())?;
    Some(format!("{} after its end", late.1.name()))
}

/// No address has more requests than were acknowledged or may have been.
pub(super) fn not_done(evidence: &Evidence) -> Promise {
    let mut allowed: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &evidence.calls {
        if let Act::Send { to, .. } = &call.act {
            *allowed.entry(to).or_default() += usize::from(call.outcome.is_unknown());
            *refused.entry(to).or_default() += usize::from(call.outcome.is_not_done());
        }
    }
    for (to, ..) in sends(evidence) {
        *allowed.entry(to).or_default() += 1;
    }
    let mut there: HashMap<&str, usize> = HashMap::new();
    for kept in evidence.kept.values() {
        *there.entry(&kept.to).or_default() += 1;
    }
    let mut promise = promise(
        "what was told to be not done was not done",
        allowed.into_iter().map(|(to, allowed)| {
            let there = there.get(to).copied().unwrap_or(0);
            (there > allowed).then(|| format!("{to} has {there} requests of at most {allowed}"))
        }),
    );
    let refused: usize = refused.values().sum();
    promise.note = format!("{refused} sends were told so");
    promise
}
