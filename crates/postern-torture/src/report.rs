//! What is told of a run.

use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;

use crate::check::{Evidence, Promise};
use crate::run::Plan;

/// Calls, mails and faults in numbers.
pub(crate) fn summary(plan: &Plan, evidence: &Evidence) {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for call in &evidence.calls {
        *outcomes.entry(call.outcome.name()).or_default() += 1;
    }
    let ids: HashSet<_> = evidence.mails.iter().map(|mail| &mail.id).collect();
    println!(
        "{:?}, seed {}: {} calls ({})",
        plan.engine,
        plan.seed,
        evidence.calls.len(),
        counts(&outcomes),
    );
    println!(
        "{} requests in the store, {} mails of which {} repeats",
        evidence.kept.len(),
        evidence.mails.len(),
        evidence.mails.len() - ids.len(),
    );
    let mut faults: BTreeMap<&str, usize> = BTreeMap::new();
    for trouble in &evidence.troubles {
        *faults.entry(trouble.fault.name()).or_default() += 1;
    }
    println!("{} faults ({})", evidence.troubles.len(), counts(&faults));
}

fn counts(of: &BTreeMap<&str, usize>) -> String {
    let counts: Vec<_> = of
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    counts.join(", ")
}

/// Every promise with its verdict; a failure when one was broken.
pub(crate) fn tell(promises: &[Promise]) -> ExitCode {
    let mut kept = true;
    for promise in promises {
        let verdict = if promise.broken.is_empty() {
            "kept"
        } else {
            "BROKEN"
        };
        let note = if promise.note.is_empty() {
            String::new()
        } else {
            format!("; {}", promise.note)
        };
        println!(
            "{verdict:>6}  {} ({} times put to the test{note})",
            promise.what, promise.tested
        );
        if !promise.broken.is_empty() {
            println!("        {} times, such as:", promise.broken.len());
        }
        for finding in promise.broken.iter().take(10) {
            println!("        {finding}");
        }
        kept &= promise.broken.is_empty();
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
