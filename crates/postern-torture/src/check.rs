//! Reads what happened and says which promises were kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::history::{Act, Call, Fault, Mail, Outcome};

/// What the nodes' clocks and ours may differ by, in milliseconds (lifecycle §7).
const SKEW: u64 = 2_000;
/// How long an attempt at a mail may go on after its credential was spent: its deadline.
const ATTEMPT: u64 = 32_000;
/// Mails to one address in the window of the default quota.
const QUOTA: usize = 2;
const WINDOW: u64 = 60_000;
/// Different wrong codes that a request survives, and the one that kills it.
const ATTEMPTS: usize = 5;
/// How soon after the last fault service must be normal.
const RECOVERY: u64 = 5_000;

/// The refusals that a client of this run can meet.
const KNOWN: [&str; 12] = [
    "INVALID_CODE",
    "AUTH_REQUEST_USED",
    "AUTH_REQUEST_EXPIRED",
    "AUTH_REQUEST_NOT_FOUND",
    "CODE_SUPERSEDED",
    "TOO_MANY_ATTEMPTS",
    "RATE_LIMITED",
    "RESEND_LIMIT",
    "START_AGAIN",
    "ADDRESS_SUPPRESSED",
    "AUTH_REQUEST_DEAD",
    "MAIL_NOT_CONFIGURED",
];

/// Everything that the checker reads.
#[derive(Default)]
pub(crate) struct Evidence {
    pub(crate) calls: Vec<Call>,
    pub(crate) mails: Vec<Mail>,
    /// What each acknowledged request answers in the end to a code of an impossible form.
    pub(crate) finals: HashMap<String, String>,
    pub(crate) faults: Vec<(u64, Fault)>,
    /// How long after the last fault every node answered as it should; none when it never did.
    pub(crate) recovered: Option<u64>,
    /// The lifetime of the requests, in milliseconds.
    pub(crate) lifetime: u64,
    /// Nodes that ended by themselves.
    pub(crate) deaths: usize,
}

/// One promise, how often it was put to the test, and how it was broken.
#[derive(Debug)]
pub(crate) struct Promise {
    pub(crate) what: &'static str,
    pub(crate) tested: usize,
    pub(crate) broken: Vec<String>,
}

/// Judges every promise.
pub(crate) fn check(evidence: &Evidence) -> Vec<Promise> {
    vec![
        survive(evidence),
        mailed(evidence),
        accepted_once(evidence),
        accepted_in_time(evidence),
        attempts(evidence),
        quotas(evidence),
        silent_after_use(evidence),
        repeats(evidence),
        classes(evidence),
        recovery(evidence),
    ]
}

fn promise(what: &'static str, findings: impl IntoIterator<Item = Option<String>>) -> Promise {
    let findings: Vec<_> = findings.into_iter().collect();
    Promise {
        what,
        tested: findings.len(),
        broken: findings.into_iter().flatten().collect(),
    }
}

/// Acknowledged sends: address, request, the call's moments.
fn sends(evidence: &Evidence) -> impl Iterator<Item = (&str, &str, &Call)> {
    evidence
        .calls
        .iter()
        .filter_map(|call| match (&call.act, &call.outcome) {
            (Act::Send { to }, Outcome::Sent(request)) => Some((&**to, &**request, call)),
            _ => None,
        })
}

fn verifies(evidence: &Evidence) -> impl Iterator<Item = (&str, &str, &Call)> {
    evidence.calls.iter().filter_map(|call| match &call.act {
        Act::Verify { request, code, .. } => Some((&**request, &**code, call)),
        _ => None,
    })
}

fn survive(evidence: &Evidence) -> Promise {
    promise(
        "every acknowledged send exists afterwards",
        sends(evidence).map(|(_, request, _)| {
            let told = evidence.finals.get(request).map(String::as_str);
            matches!(told, None | Some("AUTH_REQUEST_NOT_FOUND"))
                .then(|| format!("{request} is lost: {told:?}"))
        }),
    )
}

fn mailed(evidence: &Evidence) -> Promise {
    let spent = [
        "AUTH_REQUEST_USED",
        "TOO_MANY_ATTEMPTS",
        "AUTH_REQUEST_EXPIRED",
    ];
    let mut owed: BTreeMap<&str, usize> = BTreeMap::new();
    for (to, request, _) in sends(evidence) {
        let told = evidence.finals.get(request).map_or("", String::as_str);
        *owed.entry(to).or_default() += usize::from(!spent.contains(&told));
    }
    let mut got: HashMap<&str, HashSet<&str>> = HashMap::new();
    for mail in &evidence.mails {
        got.entry(&mail.to).or_default().insert(&mail.id);
    }
    promise(
        "every acknowledged send was mailed, or its credential was spent before",
        owed.into_iter().map(|(to, owed)| {
            let got = got.get(to).map_or(0, HashSet::len);
            (got < owed).then(|| format!("{to} is owed {owed} mails and got {got}"))
        }),
    )
}

fn accepted_once(evidence: &Evidence) -> Promise {
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
            match (times, told) {
                (1, None | Some("AUTH_REQUEST_USED")) => None,
                (1, _) => Some(format!("{request} was accepted and is {told:?}")),
                _ => Some(format!("{request} was accepted {times} times")),
            }
        }),
    )
}

fn accepted_in_time(evidence: &Evidence) -> Promise {
    let mut ends: HashMap<&str, u64> = HashMap::new();
    for call in &evidence.calls {
        // A resend that may have taken effect restarts the lifetime too.
        let ((Act::Send { .. }, Outcome::Sent(request))
        | (Act::Resend { request, .. }, Outcome::Sent(_) | Outcome::Unknown)) =
            (&call.act, &call.outcome)
        else {
            continue;
        };
        let end = ends.entry(request).or_default();
        *end = (*end).max(call.end + evidence.lifetime + SKEW);
    }
    promise(
        "none was accepted after its end",
        verifies(evidence)
            .filter(|(.., call)| call.outcome == Outcome::Verified)
            .map(|(request, _, call)| {
                let end = ends.get(request).copied().unwrap_or(u64::MAX);
                (call.start > end).then(|| format!("{request} was accepted after its end"))
            }),
    )
}

fn attempts(evidence: &Evidence) -> Promise {
    let mut counted: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (request, code, call) in verifies(evidence) {
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

fn quotas(evidence: &Evidence) -> Promise {
    let mut taken: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for call in &evidence.calls {
        let (Act::Send { to } | Act::Resend { to, .. }) = &call.act else {
            continue;
        };
        if matches!(call.outcome, Outcome::Sent(_)) {
            taken.entry(to).or_default().push((call.start, call.end));
        }
    }
    promise(
        "no address got more mails than its quota",
        taken.into_iter().map(|(to, mut moments)| {
            moments.sort_unstable();
            let beyond = moments.windows(QUOTA + 1).find(|some| {
                let first = some.iter().map(|(start, _)| *start).min().unwrap_or(0);
                let last = some.iter().map(|(_, end)| *end).max().unwrap_or(u64::MAX);
                last - first + SKEW < WINDOW
            });
            beyond.map(|_| format!("{to} got more than {QUOTA} mails a minute"))
        }),
    )
}

fn silent_after_use(evidence: &Evidence) -> Promise {
    // Only where an address has one request can a mail be told to be of that request.
    let mut of: HashMap<&str, Vec<&str>> = HashMap::new();
    for (to, request, _) in sends(evidence) {
        of.entry(to).or_default().push(request);
    }
    let used: HashMap<&str, u64> = verifies(evidence)
        .filter(|(.., call)| call.outcome == Outcome::Verified)
        .map(|(request, _, call)| (request, call.end))
        .collect();
    promise(
        "no mail was sent after its credential was spent",
        evidence.mails.iter().map(|mail| {
            let requests = of.get(&*mail.to)?;
            let end = requests
                .first()
                .filter(|_| requests.len() == 1)
                .and_then(|id| used.get(id))?;
            (mail.at > end + ATTEMPT).then(|| format!("{} was mailed after it was used", mail.to))
        }),
    )
}

fn repeats(evidence: &Evidence) -> Promise {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in &evidence.mails {
        *times.entry(&mail.id).or_default() += 1;
    }
    let excused = evidence
        .faults
        .iter()
        .any(|(_, fault)| *fault != Fault::Mail);
    promise(
        "a mail was repeated only where a worker died or stood still, or the store did",
        times.into_iter().map(|(id, times)| {
            (times > 1 && !excused).then(|| format!("{id} was sent {times} times"))
        }),
    )
}

fn classes(evidence: &Evidence) -> Promise {
    let told = evidence.calls.iter().map(|call| match &call.outcome {
        Outcome::Refused(code) if !KNOWN.contains(&&**code) => {
            Some(format!("{:?} answered {code}", call.act))
        }
        Outcome::Unknown if evidence.faults.is_empty() => Some(format!(
            "{:?} had no certain outcome, and nothing was broken",
            call.act
        )),
        _ => None,
    });
    let deaths = (0..evidence.deaths).map(|_| Some("a node ended by itself".to_owned()));
    promise("no unexpected class of error", told.chain(deaths))
}

fn recovery(evidence: &Evidence) -> Promise {
    let broken = match evidence.recovered {
        Some(after) if after <= RECOVERY => None,
        Some(after) => Some(format!("service was normal only after {after} ms")),
        None => Some("service never became normal".to_owned()),
    };
    promise("service is normal within 5 s of the last fault", [broken])
}

#[cfg(test)]
mod tests;
