//! How the mail providers fare, as the pages show it.

use std::collections::HashMap;

use postern_core::model::Timestamp;

use super::{Dashboard, shown};
use crate::mail::{Condition, Health};

/// How one provider fares on this node, since the node started.
#[derive(Default)]
pub(super) struct Fares {
    /// In a word.
    pub(super) word: &'static str,
    /// `good`, `bad`, `warn` or nothing.
    pub(super) tone: &'static str,
    /// More about it.
    pub(super) more: String,
}

/// How each of them fares, by name.
pub(super) fn of_all(dashboard: &Dashboard) -> HashMap<String, Fares> {
    let now = dashboard.postern.now();
    let carriers = match dashboard.route.carriers() {
        Ok(carriers) => carriers,
        Err(problem) => return unusable(dashboard, &problem),
    };
    let mut all = unusable(
        dashboard,
        "it is not in use: the log of the server says why",
    );
    for carrier in carriers.iter() {
        let fares = told(&carrier.gate.health(now), now);
        all.insert(carrier.name.clone(), fares);
    }
    all
}

fn unusable(dashboard: &Dashboard, problem: &str) -> HashMap<String, Fares> {
    let snapshot = dashboard.postern.snapshot();
    let names = snapshot.providers.iter().map(|held| held.name.clone());
    let fares = || Fares {
        word: "Cannot be used",
        tone: "bad",
        more: problem.to_owned(),
    };
    names.map(|name| (name, fares())).collect()
}

fn told(health: &Health, now: Timestamp) -> Fares {
    let until = health.shut.map(|shut| shown::clock(shut.until));
    let until = until.unwrap_or_default();
    let trouble = health.trouble.as_ref().map(|(at, said)| {
        let ago = shown::ago(now, *at);
        format!("Last trouble {ago}: {said}")
    });
    let trouble = trouble.unwrap_or_default();
    let worked = health.worked_at.map(|at| shown::ago(now, at));
    let worked = worked.map(|ago| format!("Last mail {ago}."));
    let (word, tone, more) = match health.condition() {
        Condition::Unknown => (
            "No mail yet",
            "",
            "No app's mail went through it since the server started, or since a provider or a DKIM key was changed.".into(),
        ),
        Condition::Works => ("Works", "good", worked.unwrap_or_default()),
        Condition::Full => (
            "At its rate",
            "warn",
            format!("The next mail goes at {until} UTC."),
        ),
        Condition::Shaky => ("In trouble", "warn", trouble),
        Condition::Down => (
            "Left alone",
            "bad",
            format!("Tried again at {until} UTC. {trouble}"),
        ),
    };
    Fares { word, tone, more }
}
