use std::collections::{BTreeMap, HashMap, HashSet};

use postern_core::model::{EventKind, State};

use super::{Evidence, Promise, SKEW, place, promise, resends, verifies};
use crate::history::{Act, Outcome};

/// Different wrong codes: the last of them kills a request.
const ATTEMPTS: usize = 5;

pub(super) fn accepted_once(evidence: &Evidence) -> Promise {
    let mut accepted: BTreeMap<&str, usize> = BTreeMap::new();
    for (request, _, call) in verifies(evidence) {
        if call.outcome == Outcome::Verified {
            *accepted.entry(request).or_default() += 1;
        }
    }
    promise(
        "every auth request was accepted at most once, and stays used",
        accepted.into_iter().map(|(request, times)| {
            let told = evidence.finals.get(request).map(String::as_str);
            let kept = evidence.kept.get(request).map(|kept| kept.state);
            match (times, told, kept) {
                (1, None | Some("AUTH_REQUEST_USED"), Some(State::Used(_))) => None,
                (1, ..) => Some(format!("{request} was accepted and is {told:?}, {kept:?}")),
                _ => Some(format!("{request} was accepted {times} times")),
            }
        }),
    )
}

/// Neither after its lifetime nor by a code that a resend had replaced.
pub(super) fn accepted_in_time(evidence: &Evidence) -> Promise {
    let ends = ends(evidence);
    let generations = generations(evidence);
    let accepted = verifies(evidence).filter(|(.., call)| call.outcome == Outcome::Verified);
    promise(
        "none was accepted after its end, nor by a code that was replaced",
        accepted.map(|(request, code, call)| {
            let end = ends.get(request).copied().unwrap_or(u64::MAX);
            if call.start > end {
                return Some(format!("{request} was accepted after its end"));
            }
            let of = generations.get(&(request.to_owned(), code.to_owned()));
            let newest = replaced(evidence, request, call.start);
            let old = of.is_some_and(|of| *of < newest);
            old.then(|| format!("{request} was accepted by a code that was replaced"))
        }),
    )
}

/// When each request ends at the latest, if nothing resends it.
fn ends(evidence: &Evidence) -> HashMap<&str, u64> {
    let mut lifetimes: HashMap<&str, u64> = HashMap::new();
    let mut ends: HashMap<&str, u64> = HashMap::new();
    for call in &evidence.calls {
        if let (Act::Send { lifetime, .. }, Outcome::Sent(request)) = (&call.act, &call.outcome) {
            lifetimes.insert(request, lifetime * 1000);
            ends.insert(request, call.end + lifetime * 1000 + SKEW);
        }
    }
    // A resend that may have taken effect restarts the lifetime too.
    for (request, call) in resends(evidence) {
        if let (Outcome::Sent(_) | Outcome::Unknown, Some(lifetime)) =
            (&call.outcome, lifetimes.get(request))
        {
            let end = ends.entry(request).or_default();
            *end = (*end).max(call.end + lifetime + SKEW);
        }
    }
    ends
}

/// Which generation each mailed code is of.
fn generations(evidence: &Evidence) -> HashMap<(String, String), u16> {
    let of = |mail| {
        let (request, ordinal) = place(mail)?;
        let mailing = evidence.kept.get(&request)?.mailings.get(&ordinal)?;
        Some(((request, mail.code.clone()), mailing.generation))
    };
    evidence.mails.iter().filter_map(of).collect()
}

/// The generation that a request surely had reached at `at`: each resend that had ended by then made
/// one more.
fn replaced(evidence: &Evidence, request: &str, at: u64) -> u16 {
    let before = resends(evidence)
        .filter(|(of, call)| *of == request && call.end < at)
        .filter(|(_, call)| matches!(call.outcome, Outcome::Sent(_)))
        .count();
    u16::try_from(before).unwrap_or(u16::MAX)
}

pub(super) fn attempts(evidence: &Evidence) -> Promise {
    let mut counted: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (request, code, call) in verifies(evidence).filter(|(_, code, _)| code.len() > 1) {
        if call.outcome == Outcome::Refused("INVALID_CODE".into()) {
            let seen = counted.entry(request).or_default();
            let end = seen.entry(code).or_insert(call.end);
            *end = call.end.min(*end);
        }
    }
    let accepted: HashMap<&str, u64> = verifies(evidence)
        .filter(|(.., call)| call.outcome == Outcome::Verified)
        .map(|(request, _, call)| (request, call.start))
        .collect();
    promise(
        "no request counted more than five wrong codes, or was accepted after the fifth",
        counted.into_iter().map(|(request, codes)| {
            // Of a longer code than these are made of, ours are no try at all.
            if evidence.kept.get(request).is_some_and(|kept| kept.hardened) {
                return None;
            }
            let mut ends: Vec<_> = codes.into_values().collect();
            ends.sort_unstable();
            if ends.len() > ATTEMPTS {
                return Some(format!("{request} counted {} wrong codes", ends.len()));
            }
            let fifth = ends.get(ATTEMPTS - 1)?;
            let after = accepted.get(request).is_some_and(|start| start > fifth);
            after.then(|| format!("{request} was accepted after its fifth wrong code"))
        }),
    )
}

/// By what clients were told, and by what the store says.
pub(super) fn budgets(evidence: &Evidence) -> Promise {
    let mut seen: BTreeMap<&str, HashSet<(&str, &str)>> = BTreeMap::new();
    for (request, code, call) in verifies(evidence).filter(|(_, code, _)| is_code(code)) {
        let Some(kept) = evidence.kept.get(request).filter(|kept| !kept.hardened) else {
            continue;
        };
        if call.outcome == Outcome::Refused("INVALID_CODE".into()) {
            seen.entry(&kept.to).or_default().insert((request, code));
        }
    }
    let mut stored: BTreeMap<&str, usize> = BTreeMap::new();
    for kept in evidence.kept.values() {
        let counted = |event| matches!(event, &EventKind::WrongCode { budgeted, .. } if budgeted);
        let count = kept.events.iter().filter(|(_, event)| counted(event));
        *stored.entry(&kept.to).or_default() += count.count();
    }
    let seen = seen.into_iter().map(|(to, codes)| (to, codes.len()));
    promise(
        "no address counted more wrong codes than its budget, across its requests and all nodes",
        seen.chain(stored.into_iter().filter(|(_, count)| *count > 0))
            .map(|(to, count)| {
                (count > evidence.budget).then(|| format!("{to} counted {count} wrong codes"))
            }),
    )
}

/// Whether this is a code of the form that requests have which are not hardened.
pub(super) fn is_code(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}
