use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use postern_core::model::{DeliveryState, EventKind, State};

use super::{Evidence, Promise, SKEW, place, promise, resends, sends, verifies};
use crate::history::{Act, Outcome};
use crate::kept::{Kept, Mailing};

const NOT_FOUND: &str = "AUTH_REQUEST_NOT_FOUND";
/// Mails to one address in the window of the default quota.
const QUOTA: usize = 2;
const WINDOW: u64 = 60_000;
/// The longest wait between two tries at a mail: one that would end after the credential is not begun.
const WAIT: i64 = 60_000;

/// Neither in the end nor to anybody who asked in between it is unknown.
pub(super) fn survive(evidence: &Evidence) -> Promise {
    let told = verifies(evidence).map(|(request, _, call)| (request, call));
    let missed: HashMap<&str, u64> = told
        .chain(resends(evidence))
        .filter(|(_, call)| call.outcome == Outcome::Refused(NOT_FOUND.into()))
        .map(|(request, call)| (request, call.start))
        .collect();
    promise(
        "every acknowledged send exists afterwards",
        sends(evidence).map(|(_, request, _)| {
            let told = evidence.finals.get(request).map(String::as_str);
            let answers = !matches!(told, None | Some(NOT_FOUND));
            let kept = evidence.kept.contains_key(request);
            if !answers || !kept {
                return Some(format!("{request} is lost: {told:?}, in store: {kept}"));
            }
            let missed = missed.get(request);
            missed.map(|at| format!("{request} was not found at {at} ms"))
        }),
    )
}

/// No mail that nobody asked for: of a send or a resend that was acknowledged, or may have been done.
pub(super) fn asked_for(evidence: &Evidence) -> Promise {
    let (asked, mut unknown) = (asked(evidence), unknown_sends(evidence));
    let mut came: BTreeMap<(String, &str), BTreeSet<u16>> = BTreeMap::new();
    for mail in &evidence.mails {
        if let Some((request, ordinal)) = place(mail) {
            came.entry((request, &mail.to)).or_default().insert(ordinal);
        }
    }
    let findings = came.into_iter().map(|((request, to), mails)| {
        let came = mails.len();
        if let Some((address, most)) = asked.get(&*request) {
            return (came > *most || *address != to).then(|| {
                format!("{to} got {came} mails of {request}, of which {address} asked for {most}")
            });
        }
        // Whoever sent it was not told its name; each unknown send can be of one request.
        match unknown.get_mut(to).filter(|left| **left > 0) {
            Some(left) => {
                *left -= 1;
                None
            }
            None => Some(format!("{to} got a mail of {request}, which nobody sent")),
        }
    });
    promise("every mail was asked for", findings)
}

/// Whose mails each acknowledged request is for, and how many there can be.
fn asked(evidence: &Evidence) -> HashMap<&str, (&str, usize)> {
    let sent = sends(evidence).map(|(to, request, _)| (request, (to, 1)));
    let mut asked: HashMap<_, _> = sent.collect();
    for (request, call) in resends(evidence) {
        let done = matches!(call.outcome, Outcome::Sent(_)) || call.outcome.is_unknown();
        if let Some((_, most)) = asked.get_mut(request).filter(|_| done) {
            *most += 1;
        }
    }
    asked
}

/// How many sends to each address may have been done.
fn unknown_sends(evidence: &Evidence) -> HashMap<&str, usize> {
    let mut unknown: HashMap<&str, usize> = HashMap::new();
    for call in &evidence.calls {
        if let Act::Send { to, .. } = &call.act {
            *unknown.entry(to).or_default() += usize::from(call.outcome.is_unknown());
        }
    }
    unknown
}

pub(super) fn mailed(evidence: &Evidence) -> Promise {
    let came: HashSet<_> = evidence.mails.iter().filter_map(place).collect();
    let (mut findings, mut ends) = (Vec::new(), BTreeMap::<_, usize>::new());
    for (_, request, _) in sends(evidence) {
        let Some(kept) = evidence.kept.get(request) else {
            continue; // said above
        };
        if kept.mailings.is_empty() {
            findings.push(Some(format!("{request} has no mail")));
        }
        for (ordinal, mailing) in &kept.mailings {
            *ends.entry(mailing.state.as_str()).or_default() += 1;
            let came = came.contains(&(request.to_owned(), *ordinal));
            let wrong = unsent(evidence, kept, *ordinal, *mailing, came);
            findings.push(wrong.map(|why| format!("mail {ordinal} of {request} {why}")));
        }
    }
    let ends: Vec<_> = ends
        .iter()
        .map(|(end, count)| format!("{count} {end}"))
        .collect();
    let mut promise = promise(
        "the mail of every acknowledged send was sent, bounced or abandoned for a reason that the rules allow",
        findings,
    );
    promise.note = ends.join(", ");
    promise
}

/// Why this mail's end is not one that the rules allow, if so.
fn unsent(
    evidence: &Evidence,
    kept: &Kept,
    ordinal: u16,
    mailing: Mailing,
    came: bool,
) -> Option<String> {
    match mailing.state {
        DeliveryState::Sent | DeliveryState::Delivered | DeliveryState::Complained => {
            (!came).then(|| "was written down as sent and never came".to_owned())
        }
        DeliveryState::Bounced => (!evidence.bounced.contains(&kept.to))
            .then(|| "bounced though nobody refused it".to_owned()),
        DeliveryState::Queued => Some("waits for ever".to_owned()),
        DeliveryState::Failed | DeliveryState::Abandoned => {
            let excused = kept.events.iter().any(|(at, event)| match event {
                EventKind::MailFailed { delivery, .. } if *delivery == ordinal => {
                    at + WAIT + SKEW.cast_signed() >= kept.expires_at
                }
                EventKind::MailAbandoned { delivery, reason } if *delivery == ordinal => {
                    abandoned_for(kept, mailing, reason, *at)
                }
                _ => false,
            });
            (!excused).then(|| format!("was given up as {:?} without reason", mailing.state))
        }
    }
}

fn abandoned_for(kept: &Kept, mailing: Mailing, reason: &str, at: i64) -> bool {
    match reason {
        "used" => matches!(kept.state, State::Used(_)),
        "dead" => kept.state == State::Dead,
        "superseded" => mailing.generation < kept.generation,
        "expired" => at + SKEW.cast_signed() >= kept.expires_at,
        _ => false,
    }
}

/// By what clients saw, and by what the store says: its own clocks may differ by the skew.
pub(super) fn quotas(evidence: &Evidence) -> Promise {
    let mut seen: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for call in &evidence.calls {
        let (Act::Send { to, .. } | Act::Resend { to, .. }) = &call.act else {
            continue;
        };
        if matches!(call.outcome, Outcome::Sent(_)) {
            seen.entry(to).or_default().push((call.start, call.end));
        }
    }
    let mut stored: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for kept in evidence.kept.values() {
        for (at, event) in &kept.events {
            if let EventKind::Initiated { .. } | EventKind::Resent { .. } = event {
                let at = at.cast_unsigned();
                stored.entry(&kept.to).or_default().push((at, at));
            }
        }
    }
    promise(
        "no address got more mails than its quota",
        seen.into_iter().chain(stored).map(|(to, moments)| {
            beyond(moments).then(|| format!("{to} got more than {QUOTA} mails a minute"))
        }),
    )
}

fn beyond(mut moments: Vec<(u64, u64)>) -> bool {
    moments.sort_unstable();
    moments.windows(QUOTA + 1).any(|some| {
        let first = some.iter().map(|(start, _)| *start).min().unwrap_or(0);
        let last = some.iter().map(|(_, end)| *end).max().unwrap_or(u64::MAX);
        last - first + SKEW < WINDOW
    })
}
