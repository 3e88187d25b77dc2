//! Reads what happened and says which promises were kept.

mod agreement;
mod lives;
mod mails;
mod proofs;
mod sends;
mod service;

use std::collections::{BTreeMap, HashMap, HashSet};

use postern_core::model::DeliveryId;

use crate::history::{Act, Call, Mail, Outcome, Trouble};
use crate::kept::Kept;

/// What the nodes' clocks and ours may differ by, in milliseconds (lifecycle §7).
const SKEW: u64 = 2_000;

/// Everything that the checker reads. Requests are named as the store names them, without their tags.
#[derive(Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) calls: Vec<Call>,
    pub(crate) mails: Vec<Mail>,
    /// What each acknowledged request answers in the end to a code of an impossible form.
    pub(crate) finals: HashMap<String, String>,
    /// What the store holds in the end.
    pub(crate) kept: BTreeMap<String, Kept>,
    /// Whose mail the mail server refused for good.
    pub(crate) bounced: HashSet<String>,
    pub(crate) troubles: Vec<Trouble>,
    /// Wrong codes that an address survives.
    pub(crate) budget: usize,
    /// How long a node answers calls after it was told to stop, in milliseconds.
    pub(crate) drain: u64,
    /// Nodes that ended by themselves, or badly when told to.
    pub(crate) deaths: Vec<String>,
}

/// One promise, how often it was put to the test, and how it was broken.
#[derive(Debug)]
pub(crate) struct Promise {
    pub(crate) what: &'static str,
    pub(crate) tested: usize,
    pub(crate) broken: Vec<String>,
    /// What else is worth telling.
    pub(crate) note: String,
}

/// Judges every promise.
pub(crate) fn check(evidence: &Evidence) -> Vec<Promise> {
    vec![
        sends::survive(evidence),
        sends::mailed(evidence),
        sends::asked_for(evidence),
        proofs::accepted_once(evidence),
        proofs::expired(evidence),
        proofs::in_time(evidence),
        proofs::superseded(evidence),
        proofs::dead(evidence),
        proofs::attempts(evidence),
        proofs::budgets(evidence),
        sends::quotas(evidence),
        mails::silent(evidence),
        mails::outlived(evidence),
        mails::repeats(evidence),
        agreement::events(evidence),
        agreement::not_done(evidence),
        service::classes(evidence),
        service::draining(evidence),
        service::recovery(evidence),
        service::mails_again(evidence),
    ]
}

fn promise(what: &'static str, findings: impl IntoIterator<Item = Option<String>>) -> Promise {
    let findings: Vec<_> = findings.into_iter().collect();
    Promise {
        what,
        tested: findings.len(),
        broken: findings.into_iter().flatten().collect(),
        note: String::new(),
    }
}

/// Acknowledged sends: address, request, call.
fn sends(evidence: &Evidence) -> impl Iterator<Item = (&str, &str, &Call)> {
    evidence
        .calls
        .iter()
        .filter_map(|call| match (&call.act, &call.outcome) {
            (Act::Send { to, .. }, Outcome::Sent(request)) => Some((&**to, &**request, call)),
            _ => None,
        })
}

/// Verifies, whatever came of them: request, code, call.
fn verifies(evidence: &Evidence) -> impl Iterator<Item = (&str, &str, &Call)> {
    evidence.calls.iter().filter_map(|call| match &call.act {
        Act::Verify { request, code, .. } => Some((&**request, &**code, call)),
        _ => None,
    })
}

/// The resends of each request, whatever came of them.
fn resends(evidence: &Evidence) -> impl Iterator<Item = (&str, &Call)> {
    evidence.calls.iter().filter_map(|call| match &call.act {
        Act::Resend { request, .. } => Some((&**request, call)),
        _ => None,
    })
}

/// The request that a mail is of, and its place there.
fn place(mail: &Mail) -> Option<(String, u16)> {
    let id = DeliveryId::of_message_id(&mail.id)?;
    Some((id.request.to_string(), id.ordinal))
}

#[cfg(test)]
mod tests;
