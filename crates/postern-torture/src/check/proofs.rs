use std::collections::{BTreeMap, HashMap, HashSet};

use postern_core::model::{EventKind, State};

use super::lives::{ATTEMPTS, Life, generations, lives, wrong_codes};
use super::{Evidence, Promise, promise, verifies};
use crate::history::{Call, Outcome};

/// How long before its end a code was accepted at the earliest, to show that it was not refused too
/// early.
const JUST_BEFORE: u64 = 10_000;

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

/// A right code, typed when it is right no longer, or is still.
struct Try<'a> {
    life: &'a Life,
    call: &'a Call,
    /// The generation that the code is of, if its mail was seen.
    generation: Option<u16>,
}

/// Tries with a right code that were answered by an acceptance or by this refusal, of those that are
/// looked for.
fn tries<'a>(
    evidence: &'a Evidence,
    lives: &'a HashMap<&str, Life>,
    refusal: &'a str,
    wanted: impl Fn(&Try<'_>) -> bool + 'a,
) -> impl Iterator<Item = (&'a str, &'a Call)> {
    let generations = generations(evidence);
    verifies(evidence).filter_map(move |(request, code, call)| {
        let accepted = call.outcome == Outcome::Verified;
        let refused = matches!(&call.outcome, Outcome::Refused(why) if why == refusal);
        let generation = generations.get(&(request.to_owned(), code.to_owned()));
        let one = Try {
            life: lives.get(request)?,
            call,
            generation: generation.copied(),
        };
        let right = accepted || generation.is_some();
        (right && (accepted || refused) && wanted(&one)).then_some((request, call))
    })
}

/// None of these tries was accepted.
fn refused_all<'a>(
    what: &'static str,
    tries: impl Iterator<Item = (&'a str, &'a Call)>,
    when: &str,
) -> Promise {
    let accepted = |call: &Call| call.outcome == Outcome::Verified;
    let findings = tries.map(|(request, call)| {
        accepted(call).then(|| format!("{request} was accepted {when}, at {} ms", call.start))
    });
    promise(what, findings)
}

pub(super) fn expired(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let late = tries(evidence, &lives, "AUTH_REQUEST_EXPIRED", |one| {
        one.call.start > one.life.expired
    });
    refused_all("none was accepted after its end", late, "after its end")
}

/// None expired too early.
pub(super) fn in_time(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let early = tries(evidence, &lives, "AUTH_REQUEST_EXPIRED", |one| {
        one.call.end < one.life.lives_until && one.call.end + JUST_BEFORE > one.life.lives_until
    });
    let findings = early.map(|(request, call)| {
        let told = call.outcome != Outcome::Verified;
        told.then(|| format!("{request} had expired at {} ms", call.end))
    });
    promise(
        "no right code was refused as expired before its end",
        findings,
    )
}

pub(super) fn superseded(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let old = tries(evidence, &lives, "CODE_SUPERSEDED", |one| {
        let newest = one.life.generation(one.call.start);
        one.generation.is_some_and(|of| of < newest)
    });
    let what = "none was accepted by a code that a resend had replaced";
    refused_all(what, old, "by a code that was replaced")
}

pub(super) fn dead(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let after = tries(evidence, &lives, "TOO_MANY_ATTEMPTS", |one| {
        one.life.dead.is_some_and(|dead| one.call.start > dead)
    });
    let what = "none was accepted after its fifth wrong code";
    refused_all(what, after, "though it was dead")
}

pub(super) fn attempts(evidence: &Evidence) -> Promise {
    let counted = wrong_codes(evidence).into_iter();
    promise(
        "no request counted more than five wrong codes",
        counted.map(|(request, codes)| {
            let count = codes.len();
            (count > ATTEMPTS).then(|| format!("{request} counted {count} wrong codes"))
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
