//! When each request surely came to which end, by what clients saw.

use std::collections::{BTreeMap, HashMap};

use super::{Evidence, SKEW, place, resends, sends, verifies};
use crate::history::{Act, Call, Outcome};

/// Different wrong codes: the last of them kills a request.
pub(super) const ATTEMPTS: usize = 5;

/// One request. Moments are of our clock.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    /// Before then it surely has not expired.
    pub(super) lives_until: u64,
    /// After then it surely has, unless something that is not known of resent it.
    pub(super) expired: u64,
    /// From then on it surely is dead.
    pub(super) dead: Option<u64>,
    /// From then on it surely is used.
    pub(super) used: Option<u64>,
    /// When its resends had ended: each made a new generation.
    resent: Vec<u64>,
}

impl Life {
    /// The generation that it surely had reached at that moment.
    pub(super) fn generation(&self, at: u64) -> u16 {
        let before = self.resent.iter().filter(|end| **end < at).count();
        u16::try_from(before).unwrap_or(u16::MAX)
    }

    /// Since when its credentials of this generation surely are spent, by whatever came first.
    pub(super) fn spent(&self, generation: u16) -> u64 {
        let mut resent = self.resent.clone();
        resent.sort_unstable();
        let replaced = resent.get(usize::from(generation)).copied();
        let ends = [self.used, self.dead, replaced, Some(self.expired)];
        ends.into_iter().flatten().min().unwrap_or(self.expired)
    }
}

/// The lives of all requests that were acknowledged.
pub(super) fn lives(evidence: &Evidence) -> HashMap<&str, Life> {
    let (mut lives, mut lifetimes) = (HashMap::new(), HashMap::new());
    for (_, request, call) in sends(evidence) {
        if let Act::Send { lifetime, .. } = call.act {
            let lifetime = lifetime * 1000;
            lifetimes.insert(request, lifetime);
            let life = Life {
                lives_until: (call.start + lifetime).saturating_sub(SKEW),
                expired: call.end + lifetime + SKEW,
                ..Life::default()
            };
            lives.insert(request, life);
        }
    }
    for (request, call) in resends(evidence) {
        let (Some(life), Some(lifetime)) = (lives.get_mut(request), lifetimes.get(request)) else {
            continue;
        };
        if matches!(call.outcome, Outcome::Sent(_)) {
            life.resent.push(call.end);
        }
        // One that may have taken effect restarts the lifetime too.
        if matches!(call.outcome, Outcome::Sent(_)) || call.outcome.is_unknown() {
            life.expired = life.expired.max(call.end + lifetime + SKEW);
        }
    }
    for (request, _, call) in verifies(evidence) {
        let used = call.outcome == Outcome::Verified;
        if let Some(life) = lives.get_mut(request).filter(|_| used) {
            note(&mut life.used, call.end);
        }
    }
    for (request, at) in deaths(evidence) {
        if let Some(life) = lives.get_mut(request) {
            note(&mut life.dead, at);
        }
    }
    lives
}

/// The first of such moments.
fn note(at: &mut Option<u64>, when: u64) {
    *at = Some(at.map_or(when, |at| at.min(when)));
}

/// Requests of which clients were told that they are dead, or told of five different wrong codes.
fn deaths(evidence: &Evidence) -> Vec<(&str, u64)> {
    let refused =
        |call: &Call, why: &str| matches!(&call.outcome, Outcome::Refused(told) if told == why);
    let told = verifies(evidence).map(|(request, _, call)| (request, call));
    let mut deaths: Vec<_> = told
        .chain(resends(evidence))
        .filter(|(_, call)| refused(call, "TOO_MANY_ATTEMPTS"))
        .map(|(request, call)| (request, call.end))
        .collect();
    for (request, codes) in wrong_codes(evidence) {
        let mut ends: Vec<_> = codes.into_values().collect();
        ends.sort_unstable();
        deaths.extend(ends.get(ATTEMPTS - 1).map(|fifth| (request, *fifth)));
    }
    deaths
}

/// The different wrong codes of each request that counted, and when that was first said.
pub(super) fn wrong_codes(evidence: &Evidence) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    let mut counted: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (request, code, call) in verifies(evidence).filter(|(_, code, _)| code.len() > 1) {
        // Of a longer code than these are made of, ours are no try at all.
        let hardened = |kept: &crate::kept::Kept| kept.hardened;
        if evidence.kept.get(request).is_some_and(hardened) {
            continue;
        }
        if call.outcome == Outcome::Refused("INVALID_CODE".into()) {
            let seen = counted.entry(request).or_default();
            let end = seen.entry(code).or_insert(call.end);
            *end = call.end.min(*end);
        }
    }
    counted
}

/// Which generation each mailed code is of.
pub(super) fn generations(evidence: &Evidence) -> HashMap<(String, String), u16> {
    let of = |mail| {
        let (request, ordinal) = place(mail)?;
        let mailing = evidence.kept.get(&request)?.mailings.get(&ordinal)?;
        Some(((request, mail.code.clone()), mailing.generation))
    };
    evidence.mails.iter().filter_map(of).collect()
}
