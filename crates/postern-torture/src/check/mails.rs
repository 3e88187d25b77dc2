use std::collections::{BTreeMap, HashSet};

use postern_core::model::{DeliveryState, EventKind};

use super::lives::{Life, lives};
use super::{Evidence, Promise, SKEW, place, promise, sends};
use crate::history::{Fault, Mail, Trouble};
use crate::kept::{Kept, Mailing};

/// How long an attempt at a mail may go on after its credential was spent: its deadline.
const ATTEMPT: u64 = 32_000;
/// How long after a mail was taken its worker may still be about to write that down.
const SETTLING: u64 = 5_000;
/// How soon a mail server that is killed takes nothing more.
const DYING: u64 = 1_000;
/// How long before it was seen a mail may have been taken.
const SEEN: u64 = 500;

/// Put to the test by every mail that came after its credential was spent, and by every one that was
/// not sent for that reason.
pub(super) fn silent(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let mut findings = Vec::new();
    for kept in evidence.kept.values() {
        let mailings = kept.mailings.values();
        let abandoned = mailings.filter(|mailing| mailing.state == DeliveryState::Abandoned);
        findings.extend(abandoned.map(|_| None));
    }
    for mail in &evidence.mails {
        let Some((request, kept, mailing)) = kept_of(evidence, mail) else {
            continue;
        };
        let Some(life) = lives.get(&*request) else {
            continue; // nobody knows when it was sent
        };
        let spent = life.spent(mailing.generation);
        if mail.at > spent {
            let late = mail.at > spent + ATTEMPT || begun_late(kept, mailing);
            let after = mail.at - spent;
            findings.push(late.then(|| {
                let to = &mail.to;
                format!("{to} was mailed {after} ms after the end of {request}'s credential")
            }));
        }
    }
    promise("no mail was sent after its credential was spent", findings)
}

fn kept_of<'a>(evidence: &'a Evidence, mail: &Mail) -> Option<(String, &'a Kept, &'a Mailing)> {
    let (request, ordinal) = place(mail)?;
    let kept = evidence.kept.get(&request)?;
    Some((request, kept, kept.mailings.get(&ordinal)?))
}

/// Whether a mail was taken up when its credential had long been spent, by what the store itself says.
fn begun_late(kept: &Kept, mailing: &Mailing) -> bool {
    let spends = |event: &EventKind| match event {
        EventKind::Verified { .. } | EventKind::Locked => true,
        EventKind::Resent { generation, .. } => *generation > mailing.generation,
        _ => false,
    };
    let spent = kept.events.iter().filter(|(_, event)| spends(event));
    let ended = (mailing.generation == kept.generation).then_some(kept.expires_at);
    let since = spent.map(|(at, _)| *at).chain(ended).min();
    // Another's attempt can be the last one, but then it wrote down that nothing was sent.
    mailing.state == DeliveryState::Sent
        && since.is_some_and(|since| mailing.begun_at > since + SKEW.cast_signed())
}

/// What no server took for as long as its credential lived is given up, and not sent when one is back.
pub(super) fn outlived(evidence: &Evidence) -> Promise {
    let lives = lives(evidence);
    let dead: Vec<_> = evidence
        .troubles
        .iter()
        .filter(|trouble| trouble.fault == Fault::DeadMail)
        .collect();
    let came: HashSet<_> = evidence.mails.iter().filter_map(place).collect();
    let mut findings = Vec::new();
    for (to, request, call) in sends(evidence) {
        let outlasted = |life: &Life| {
            let mut dead = dead.iter();
            dead.any(|dead| dead.start + DYING < call.start && life.expired <= dead.end)
        };
        let Some(kept) = evidence.kept.get(request) else {
            continue;
        };
        if !lives.get(request).is_some_and(outlasted) {
            continue;
        }
        for (ordinal, mailing) in &kept.mailings {
            let given_up = matches!(
                mailing.state,
                DeliveryState::Abandoned | DeliveryState::Failed
            );
            let came = came.contains(&(request.to_owned(), *ordinal));
            findings
                .push((came || !given_up).then(|| {
                    format!("mail {ordinal} of {request} to {to} is {:?}", mailing.state)
                }));
        }
    }
    promise(
        "what no mail server took while its credential lived was given up, and never came",
        findings,
    )
}

pub(super) fn repeats(evidence: &Evidence) -> Promise {
    let mut copies: BTreeMap<(String, u16), Vec<&Mail>> = BTreeMap::new();
    let mut findings = Vec::new();
    for mail in &evidence.mails {
        match place(mail) {
            Some(place) => copies.entry(place).or_default().push(mail),
            None => findings.push(Some(format!("{:?} is no Message-ID of ours", mail.id))),
        }
    }
    let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
    for ((request, ordinal), mails) in &copies {
        let mut finding = None;
        for pair in mails.windows(2) {
            match cause(evidence, pair[0]) {
                Some(cause) => *causes.entry(cause).or_default() += 1,
                None => finding = Some(format!("mail {ordinal} of {request} came again")),
            }
        }
        findings.push(finding);
    }
    let causes: Vec<_> = causes
        .iter()
        .map(|(cause, count)| format!("{count} for {cause}"))
        .collect();
    let mut promise = promise(
        "a mail was repeated only where its answer was lost, its worker died or stood still, or the store did",
        findings,
    );
    promise.note = causes.join(", ");
    promise
}

/// Why a mail that came may come again, if it may.
fn cause(evidence: &Evidence, first: &Mail) -> Option<&'static str> {
    if !first.answered {
        return Some("a lost answer");
    }
    let explains = |trouble: &&Trouble| {
        // Who is dead takes up no mail that could be lost with it.
        let end = match trouble.fault {
            Fault::Kill(_) => trouble.start,
            _ => trouble.end,
        };
        let during = trouble.start <= first.at + SETTLING && first.at <= end + SEEN;
        trouble.fault.repeats_mails() && during
    };
    let trouble = evidence.troubles.iter().find(explains)?;
    Some(trouble.fault.name())
}
