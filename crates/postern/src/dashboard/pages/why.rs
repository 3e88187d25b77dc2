//! Why did this person get no mail?

use askama::Template;
use axum::response::Response;
use postern_core::model::{Email, Event, EventKind, LogStatus, Timestamp};
use postern_core::ports::LogQuery;
use postern_core::rules::DomainRule;
use postern_core::settings::DomainRules;

use super::logs::Row;
use super::steps::{self, Step};
use super::suppression;
use crate::admin::AdminCommand;
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// Requests that are looked at.
const LATEST: usize = 5;

struct Case {
    at: Timestamp,
    row: Row,
    verdict: String,
    tone: &'static str,
    steps: Vec<Step>,
}

#[derive(Template)]
#[template(path = "why.html")]
struct Page {
    shell: Shell,
    email: String,
    wrong: String,
    asked: bool,
    verdict: String,
    tone: &'static str,
    cases: Vec<Case>,
    refusals: Vec<Step>,
    /// That the address is on the suppression list, if it is.
    suppressed: String,
    listed: bool,
}

/// The answer, from the newest requests of the address and from what limits refused.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let email = visit.query.get("email").to_owned();
    let mut page = Page {
        shell: Shell::of(dashboard, &visit),
        asked: !email.is_empty(),
        wrong: String::new(),
        verdict: String::new(),
        tone: "",
        cases: Vec::new(),
        refusals: Vec::new(),
        suppressed: String::new(),
        listed: false,
        email,
    };
    if page.asked {
        match Email::parse(&page.email) {
            Ok(address) => look(dashboard, &mut page, &address).await?,
            Err(problem) => page.wrong = problem.to_string(),
        }
    }
    Ok(html(&page))
}

async fn look(dashboard: &Dashboard, page: &mut Page, address: &Email) -> Result<(), Trouble> {
    let store = dashboard.postern.store();
    let latest = LogQuery {
        address: Some(address.key()),
        limit: LATEST,
        ..LogQuery::default()
    };
    for entry in store.log(latest).await?.entries {
        let events = store.timeline(entry.id).await?;
        let (verdict, tone) = judge(&events, entry.status);
        page.cases.push(Case {
            at: entry.at,
            row: Row::of(dashboard, &entry),
            verdict,
            tone,
            steps: steps::of(&events),
        });
    }
    let refusals = dashboard.postern.refusals(address.key()).await?;
    page.refusals = steps::of(&refusals);
    (page.verdict, page.tone) = match closed(dashboard, address) {
        Some(told) => (told, "bad"),
        None => summary(dashboard, page, refusals.first()),
    };
    let (suppressed, _) = suppression::of(dashboard, &page.email)
        .await
        .unwrap_or_default();
    if let Some(row) = suppressed.first() {
        let until = match &row.until {
            Some(until) => format!("until {until}, or until it is taken off"),
            None => "until it is taken off".to_owned(),
        };
        let told = format!(
            "The address is on the suppression list since {} ({}), so it gets no mail {until}.",
            row.since, row.reason
        );
        // What put it there comes first, if the log knows.
        if page
            .cases
            .first()
            .is_some_and(|newest| newest.tone == "bad")
        {
            page.suppressed = told;
        } else {
            page.verdict = told;
        }
        (page.tone, page.listed) = ("bad", true);
    }
    Ok(())
}

fn summary(dashboard: &Dashboard, page: &Page, refused: Option<&Event>) -> (String, &'static str) {
    let settings = &dashboard.postern.snapshot().settings;
    if !settings.enabled {
        return (
            "Sign-in is switched off in the settings, so every send is refused.".into(),
            "bad",
        );
    }
    if dashboard.inbox.is_none() && dashboard.postern.snapshot().providers.is_empty() {
        return (
            "There is no mail provider, so every send is refused.".into(),
            "bad",
        );
    }
    match (page.cases.first(), refused) {
        (Some(newest), None) => (newest.verdict.clone(), newest.tone),
        (Some(newest), Some(refused)) if newest.at > refused.at => {
            (newest.verdict.clone(), newest.tone)
        }
        (_, Some(refused)) => (
            format!(
                "A limit refuses calls for this address, or did at {} UTC. It opens again by itself.",
                shown::at(refused.at)
            ),
            "bad",
        ),
        (None, None) => (
            "No sign-in was ever accepted for this address, as far as the log goes back: your app did not call \
             send, called it with another address, or its call was refused as wrong. Your app was told why: look \
             into its own log."
                .into(),
            "warn",
        ),
    }
}

/// What the domain rules say against an address, where they refuse and do not only watch.
fn closed(dashboard: &Dashboard, address: &Email) -> Option<String> {
    let rules = dashboard.postern.snapshot().settings.domain_rules;
    let rule = dashboard.postern.domain_rule(address);
    let rule = rule.filter(|_| rules == DomainRules::Enforce)?;
    let why = match rule {
        DomainRule::NotAllowed => "is not among the domains that are allowed",
        DomainRule::Blocked => "is among the domains that are not allowed",
        DomainRule::Disposable => "is known for disposable mailboxes",
    };
    let domain = address.domain();
    Some(format!(
        "{domain} {why}, so every send to this address is refused. The rules are under Magic link & OTP."
    ))
}

/// What the last word about the newest mail of a request means.
fn judge(events: &[Event], status: LogStatus) -> (String, &'static str) {
    let last = events.iter().rev().find_map(|event| mail(&event.what));
    let (told, tone) = last.unwrap_or((
        "The mail is queued and was not tried yet: is the outbox running?".to_owned(),
        "warn",
    ));
    if status == LogStatus::Success {
        return (
            "The mail arrived: the person signed in with it.".into(),
            "good",
        );
    }
    (told, tone)
}

fn mail(what: &EventKind) -> Option<(String, &'static str)> {
    if let EventKind::MailSent { provider, .. } = what
        && provider == "inbox"
    {
        let told = "The mail was taken: it is in the development inbox of this server.";
        return Some((told.to_owned(), "good"));
    }
    if let EventKind::MailSent {
        provider, reply, ..
    } = what
    {
        let told = format!(
            "{provider} took the mail and answered “{}”. From there on it is in their hands: look into the spam \
             folder, and into {provider}'s own log.",
            steps::said(reply)
        );
        return Some((told, "good"));
    }
    if let EventKind::MailDeferred { reason, .. } = what {
        let told = if what.is_put_off() {
            format!("The mail waits, because no provider can be tried: {reason}.")
        } else {
            format!("The provider had trouble and the mail is tried again. The trouble: {reason}")
        };
        return Some((told, "warn"));
    }
    if let EventKind::MailFailed {
        bounced,
        provider,
        reason,
        ..
    } = what
    {
        let told = if *bounced {
            let refused = steps::refused(provider.as_deref(), reason);
            format!("{refused} Is the address spelt right?")
        } else {
            format!("The mail could not be sent while its code lived: {reason}")
        };
        return Some((told, "bad"));
    }
    if let EventKind::MailAbandoned { reason, .. } = what {
        let told = format!(
            "The mail was not sent, because its credential was {reason} before its turn came."
        );
        return Some((told, "bad"));
    }
    feedback(what)
}

/// What a provider said later on, and whom no mail is for.
fn feedback(what: &EventKind) -> Option<(String, &'static str)> {
    if let EventKind::MailDelivered { provider, .. } = what {
        let told = format!(
            "{provider} says that the recipient's server took the mail: look into the spam folder and the filters of \
             the mailbox."
        );
        return Some((told, "good"));
    }
    if let EventKind::MailBounced { reason, .. } = what {
        return Some((
            format!("The mail came back: {reason}. Is the address spelt right?"),
            "bad",
        ));
    }
    if let EventKind::MailComplained { .. } = what {
        let told = "The person called the mail spam, so the next ones may not reach them.";
        return Some((told.to_owned(), "bad"));
    }
    (what.name() == "test_identity").then(|| {
        let told = "This is a test identity: it never gets a mail, and its code is the one in the settings.";
        (told.to_owned(), "warn")
    })
}

/// Forgets an address.
pub(in crate::dashboard) async fn forget(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let address = visit.form.get("email").to_owned();
    let admin = dashboard.admin.acting(visit.me());
    admin
        .execute(AdminCommand::AddressForget { address })
        .await?;
    Ok(go("/dashboard/logs/why?done=forgotten"))
}
