use std::collections::{BTreeMap, HashMap};

use super::{Evidence, Promise, place, promise, verifies};
use crate::history::{Mail, Outcome};

/// How long an attempt at a mail may go on after its credential was spent: its deadline.
const ATTEMPT: u64 = 32_000;
/// How long after a mail was taken its worker may still be about to write that down.
const SETTLING: u64 = 5_000;
/// How long before it was seen a mail may have been taken.
const SEEN: u64 = 500;

pub(super) fn silent_after_use(evidence: &Evidence) -> Promise {
    let used: HashMap<&str, u64> = verifies(evidence)
        .filter(|(.., call)| call.outcome == Outcome::Verified)
        .map(|(request, _, call)| (request, call.end))
        .collect();
    promise(
        "no mail was sent after its credential was spent",
        evidence.mails.iter().map(|mail| {
            let (request, _) = place(mail)?;
            let end = used.get(&*request)?;
            (mail.at > end + ATTEMPT).then(|| format!("{request} was mailed after it was used"))
        }),
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
    let during = |start, end| start <= first.at + SETTLING && first.at <= end + SEEN;
    let troubles = evidence.troubles.iter();
    troubles
        .filter(|trouble| trouble.fault.repeats_mails())
        .find(|trouble| during(trouble.start, trouble.end))
        .map(|trouble| trouble.fault.name())
}
