//! Emails: the providers in their order, how they fare, and a test mail.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::response::Response;
use postern_core::model::Timestamp;

use crate::admin::{AdminCommand, AdminReply, ProviderRow, Refusal};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::fares::{self, Fares};
use crate::dashboard::route::Visit;
use crate::dashboard::trouble::Trouble;

/// How many test mails go out in a minute, whoever asks: they heed no limit of an address.
const TESTS: usize = 10;

/// When the last test mails went out.
#[derive(Debug, Default)]
pub struct Tests(Mutex<VecDeque<Timestamp>>);

impl Tests {
    /// Whether one more may go, which then counts.
    fn admit(&self, now: Timestamp) -> bool {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let past = now.minus(Duration::from_mins(1));
        while sent.front().is_some_and(|at| *at <= past) {
            sent.pop_front();
        }
        let room = sent.len() < TESTS;
        if room {
            sent.push_back(now);
        }
        room
    }
}

#[derive(Template)]
#[template(path = "emails.html")]
struct Page {
    shell: Shell,
    providers: Vec<(ProviderRow, Fares)>,
    inbox: bool,
    to: String,
    tested: Tested,
}

/// What a test mail came to.
#[derive(Default)]
struct Tested {
    provider: String,
    sent: bool,
    told: String,
    /// What to look at first.
    advice: String,
    dialogue: Vec<String>,
}

impl Tested {
    /// Whether anybody said anything: a server that was not reached leaves only what happened.
    fn is_spoken(&self) -> bool {
        let mut lines = self.dialogue.iter();
        lines.any(|line| line.starts_with("C:") || line.starts_with("S:"))
    }
}

/// The providers.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    page(dashboard, &visit, Tested::default()).await
}

async fn page(dashboard: &Dashboard, visit: &Visit, tested: Tested) -> Result<Response, Trouble> {
    let AdminReply::Providers(providers) =
        dashboard.admin.execute(AdminCommand::ProviderList).await?
    else {
        return Err(Trouble::NotFound);
    };
    let mut fares = fares::of_all(dashboard);
    let fares = |name: &str| fares.remove(name).unwrap_or_default();
    let to = visit.form.get("to");
    Ok(html(&Page {
        shell: Shell::of(dashboard, visit),
        providers: with(providers, fares),
        inbox: dashboard.inbox.is_some(),
        to: if to.is_empty() {
            visit.me().to_owned()
        } else {
            to.to_owned()
        },
        tested,
    }))
}

fn with(
    providers: Vec<ProviderRow>,
    mut fares: impl FnMut(&str) -> Fares,
) -> Vec<(ProviderRow, Fares)> {
    let row = |row: ProviderRow| {
        let fares = fares(&row.name);
        (row, fares)
    };
    providers.into_iter().map(row).collect()
}

/// Moves a provider up or down.
pub(in crate::dashboard) async fn order(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let held = dashboard.postern.snapshot();
    let mut names: Vec<_> = held
        .providers
        .iter()
        .map(|provider| provider.name.clone())
        .collect();
    let moved = visit.form.get("name");
    if let Some(place) = names.iter().position(|name| name == moved) {
        let to = if visit.form.get("to") == "down" {
            (place + 1).min(names.len() - 1)
        } else {
            place.saturating_sub(1)
        };
        names.swap(place, to);
    }
    let command = AdminCommand::ProviderOrder { names };
    dashboard.admin.acting(visit.me()).execute(command).await?;
    Ok(go("/dashboard/emails?done=ordered"))
}

/// Sends one mail through a provider and shows what was said.
pub(in crate::dashboard) async fn test(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let name = visit.form.get("name").to_owned();
    let to = visit.form.get("to").to_owned();
    let command = AdminCommand::MailTest {
        provider: Some(name.clone()),
        to: to.clone(),
    };
    let done = if dashboard.tests.admit(dashboard.postern.now()) {
        dashboard.admin.acting(visit.me()).execute(command).await
    } else {
        let told = "Enough test mails went out in the last minute: wait a little.";
        Err(Refusal(told.to_owned()))
    };
    let tested = match done {
        Ok(AdminReply::MailSent { reply, dialogue }) => Tested {
            sent: true,
            told: reply,
            dialogue,
            ..Tested::default()
        },
        Ok(AdminReply::MailRefused {
            reason,
            advice,
            dialogue,
        }) => Tested {
            told: reason,
            advice,
            dialogue,
            ..Tested::default()
        },
        Ok(_) => return Err(Trouble::NotFound),
        Err(refusal) => Tested {
            told: refusal.0,
            ..Tested::default()
        },
    };
    let fate = if tested.sent { "taken" } else { "not taken" };
    let fate = format!("{fate}, to {to}");
    let acting = dashboard.postern.acting(visit.me());
    acting
        .note("provider.test", name.clone(), String::new(), fate)
        .await?;
    let tested = Tested {
        provider: name,
        ..tested
    };
    page(dashboard, &visit, tested).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_mails_are_few_in_any_minute() {
        let tests = Tests::default();
        let at = |seconds| Timestamp::from_unix_seconds(1_800_000_000 + seconds);
        assert!((0..10_i64).all(|second| tests.admit(at(second))));
        assert!(!tests.admit(at(59)));
        assert!(tests.admit(at(60)), "the first of them is a minute ago");
        assert!(!tests.admit(at(60)));
    }
}
