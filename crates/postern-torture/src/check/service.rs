use super::{Evidence, Promise, promise};
use crate::history::{Call, Fault, Outcome, Trouble};

/// How soon after the last fault service must be normal.
const RECOVERY: u64 = 5_000;
/// How exactly the end of the time is known in which a stopping node answers.
const MARGIN: u64 = 150;

/// The refusals that a client of this run can meet.
const KNOWN: [&str; 9] = [
    "INVALID_CODE",
    "AUTH_REQUEST_USED",
    "AUTH_REQUEST_EXPIRED",
    "CODE_SUPERSEDED",
    "TOO_MANY_ATTEMPTS",
    "RATE_LIMITED",
    "START_AGAIN",
    "ADDRESS_SUPPRESSED",
    // Whether that is right is another promise.
    "AUTH_REQUEST_NOT_FOUND",
];

pub(super) fn classes(evidence: &Evidence) -> Promise {
    let told = evidence.calls.iter().map(|call| match &call.outcome {
        Outcome::Refused(code) if !KNOWN.contains(&&**code) => {
            Some(format!("{:?} answered {code}", call.act))
        }
        Outcome::Garbled(what) => Some(format!("{:?} answered {what:?}", call.act)),
        Outcome::NotDone | Outcome::Unreached | Outcome::Unknown if !excused(evidence, call) => {
            Some(format!(
                "{:?} at node {} at {} ms was {}, and nothing was broken that explains it: {}",
                call.act,
                call.node,
                call.start,
                call.outcome.name(),
                call.told
            ))
        }
        _ => None,
    });
    let deaths = evidence.deaths.iter().cloned().map(Some);
    promise("no unexpected class of error", told.chain(deaths))
}

/// Whether something that was broken while the call went on, or just before, explains that it failed.
fn excused(evidence: &Evidence, call: &Call) -> bool {
    evidence
        .troubles
        .iter()
        .any(|trouble| explains(trouble, call))
}

fn explains(trouble: &Trouble, call: &Call) -> bool {
    let during = trouble.start <= call.end && call.start <= trouble.end + RECOVERY;
    let explains = match call.outcome {
        Outcome::Unreached => trouble.fault.shuts_door(call.node),
        _ => trouble.fault.fails_calls(call.node),
    };
    during && explains
}

/// While it drains a node answers everything. After that its listener is closed, and who asks over a
/// connection that lay idle all the while meets its end.
pub(super) fn draining(evidence: &Evidence) -> Promise {
    let stops = evidence
        .troubles
        .iter()
        .filter_map(|trouble| match trouble {
            Trouble {
                fault: Fault::Terminate(node),
                ..
            } => Some((*node, trouble.start)),
            _ => None,
        });
    let findings = stops.flat_map(|(node, stop)| {
        let calls = evidence.calls.iter();
        let during = calls.filter(move |call| {
            call.node == node && call.end >= stop && call.start + MARGIN < stop + evidence.drain
        });
        // Who was there before may have waited since an earlier fault.
        let earlier = move |call: &Call| {
            let others = evidence.troubles.iter();
            let mut others = others.filter(|trouble| trouble.start < stop);
            call.start < stop && others.any(|trouble| explains(trouble, call))
        };
        during.map(move |call| {
            let failed = call.outcome.is_not_done() || call.outcome.is_unknown();
            let failed = failed && !earlier(call);
            let door = if call.rest { "REST" } else { "gRPC" };
            let (start, outcome) = (call.start.saturating_sub(stop), &call.outcome);
            failed.then(|| {
                format!(
                    "{door}, {start} ms after SIGTERM: {outcome:?} {}",
                    call.told
                )
            })
        })
    });
    promise("no call failed on a draining node", findings)
}

/// From when on what had ended says that it is ready; how long that took is told beside.
pub(super) fn recovery(evidence: &Evidence) -> Promise {
    let findings = evidence.troubles.iter().map(|trouble| {
        let fault = trouble.fault;
        match trouble.recovered {
            Some(after) if after <= RECOVERY => None,
            Some(after) => Some(format!(
                "after {fault} service was normal only in {after} ms"
            )),
            None => Some(format!("after {fault} service never became normal")),
        }
    });
    let most = |of: fn(&Trouble) -> Option<u64>| {
        let all = evidence.troubles.iter().filter_map(of);
        all.max().unwrap_or(0)
    };
    let mut promise = promise("service is normal within 5 s of a fault", findings);
    promise.note = format!(
        "at most {} ms to sign in and {} ms only to send, after up to {} ms of starting that are not counted",
        most(|trouble| trouble.recovered.filter(|_| trouble.whole)),
        most(|trouble| trouble.recovered.filter(|_| !trouble.whole)),
        most(|trouble| Some(trouble.mending)),
    );
    promise
}

/// After a mail server was in trouble, the circuit breaker lets somebody try in time.
pub(super) fn mails_again(evidence: &Evidence) -> Promise {
    let (mut findings, mut longest, mut until) = (Vec::new(), 0, 0);
    for trouble in &evidence.troubles {
        if trouble.fault.holds_mails_back() == 0 {
            continue;
        }
        let span = (trouble.start, trouble.end);
        until = trouble.fault.mails_wait_until(span, until);
        let held = until - trouble.end;
        // Where the next such trouble came before its end, that one tells.
        let again = evidence.troubles.iter().any(|next| {
            let holds = next.fault.holds_mails_back() > 0;
            holds && next.start > trouble.end && next.start < trouble.end + held + RECOVERY
        });
        if again {
            continue;
        }
        let mut mails = evidence.mails.iter();
        let first = mails.find(|mail| mail.answered && mail.at > trouble.end);
        let after = first.map(|mail| mail.at - trouble.end);
        longest = longest.max(after.unwrap_or(0));
        let late = after.is_none_or(|after| after > held + RECOVERY);
        let (fault, end) = (trouble.fault, trouble.end);
        findings.push(late.then(|| format!("after {fault} until {end} ms: {after:?} ms")));
    }
    let mut promise = promise("mails flow again when their server is back", findings);
    promise.note = format!("at most {longest} ms later");
    promise
}
