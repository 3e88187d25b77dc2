//! Overview: the funnel of a period, from the counts by minute.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use postern_core::model::{Counter, MailProvider, Tally, Timestamp};

use crate::dashboard::Dashboard;
use crate::dashboard::chart::{self, Bar};
use crate::dashboard::document::{Shell, html};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// A period: its name in the query, its name, its length in minutes, and how long a bar is.
struct Period(&'static str, &'static str, u32, u32);

const PERIODS: [Period; 4] = [
    Period("1h", "Last hour", 60, 2),
    Period("24h", "Last 24 hours", 1440, 60),
    Period("7d", "Last 7 days", 10_080, 360),
    Period("30d", "Last 30 days", 43_200, 1440),
];

struct Figure {
    label: &'static str,
    value: String,
    share: String,
    tone: &'static str,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    shell: Shell,
    period: &'static str,
    periods: Vec<(&'static str, &'static str)>,
    funnel: Vec<Figure>,
    trouble: Vec<Figure>,
    chart: String,
    bars: Vec<Bar>,
    within: Vec<(String, String, String)>,
    typical: String,
    waiting: String,
    oldest: String,
    providers: Vec<(String, String)>,
    empty: bool,
}

/// The page.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let asked = visit.query.get("period");
    let period = PERIODS
        .iter()
        .find(|period| period.0 == asked)
        .unwrap_or(&PERIODS[1]);
    let now = dashboard.postern.now();
    let store = dashboard.postern.store();
    let from = now.minus(Duration::from_mins(period.2.into()));
    let end = now.plus(Duration::from_mins(1));
    let spans = store.tallies(from, end, period.3).await?;
    let mut sum = Tally::default();
    for (_, tally) in &spans {
        sum.add(tally);
    }
    let outbox = store.outbox().await?;
    let bars = bars(&spans, (from, now), period.3);
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        period: period.0,
        periods: PERIODS.iter().map(|period| (period.0, period.1)).collect(),
        funnel: funnel(&sum),
        trouble: trouble(&sum),
        chart: chart::bars(
            "Sign-ins requested, and of these verified, over time",
            &bars,
        ),
        bars: bars
            .into_iter()
            .filter(|bar| bar.whole + bar.part > 0)
            .collect(),
        within: within(&sum),
        typical: typical(&sum),
        waiting: shown::number(outbox.depth),
        oldest: outbox
            .oldest
            .map_or_else(|| "–".to_owned(), |at| shown::span(now.since(at))),
        providers: providers(dashboard),
        empty: sum == Tally::default(),
    }))
}

fn providers(dashboard: &Dashboard) -> Vec<(String, String)> {
    let snapshot = dashboard.postern.snapshot();
    let row = |provider: &MailProvider| {
        let server = format!("{}:{}", provider.host, provider.port);
        (provider.name.clone(), server)
    };
    snapshot.providers.iter().map(row).collect()
}

fn funnel(sum: &Tally) -> Vec<Figure> {
    let requests = sum.get(Counter::Requests);
    let mails = requests + sum.get(Counter::Resends);
    let figure = |label, counter, whole, tone| {
        let value = sum.get(counter);
        Figure {
            label,
            value: shown::number(value),
            share: shown::percent(value, whole),
            tone,
        }
    };
    vec![
        Figure {
            label: "Sign-ins requested",
            value: shown::number(requests),
            share: format!("{} resends", shown::number(sum.get(Counter::Resends))),
            tone: "",
        },
        figure("Mails taken by a provider", Counter::Sent, mails, ""),
        figure("Verified", Counter::Verified, requests, "good"),
        figure("Expired unused", Counter::Expired, requests, ""),
    ]
}

fn trouble(sum: &Tally) -> Vec<Figure> {
    let figure = |label, counter| {
        let value = sum.get(counter);
        Figure {
            label,
            value: shown::number(value),
            share: String::new(),
            tone: if value > 0 { "bad" } else { "" },
        }
    };
    vec![
        figure("Recipients refused", Counter::Bounced),
        figure("Mails not sent in time", Counter::Failed),
        figure("Attempts put off", Counter::Deferred),
        figure("Wrong codes", Counter::WrongCodes),
        figure("Ended by wrong codes", Counter::Locked),
        figure("Calls refused by a limit", Counter::Throttled),
    ]
}

/// One bar for each span of the period, also where nothing happened.
fn bars(
    spans: &[(Timestamp, Tally)],
    (from, now): (Timestamp, Timestamp),
    minutes: u32,
) -> Vec<Bar> {
    let step = i64::from(minutes) * 60_000_000;
    let first = from.micros().div_euclid(step);
    let last = now.micros().div_euclid(step);
    let bar = |place: i64| {
        let at = Timestamp::from_micros(place * step);
        let tally = spans
            .iter()
            .find(|(begin, _)| *begin == at)
            .map(|(_, tally)| tally);
        let count = |counter| tally.map_or(0, |tally| tally.get(counter));
        Bar {
            label: shown::at(at),
            whole: count(Counter::Requests),
            part: count(Counter::Verified),
        }
    };
    (first..=last).map(bar).collect()
}

fn within(sum: &Tally) -> Vec<(String, String, String)> {
    let counts = sum.verified_within();
    let all: u64 = counts.iter().sum();
    let name = |place: usize| match Tally::WITHIN.get(place) {
        Some(end) => format!("within {}", shown::span(*end)),
        None => "later".to_owned(),
    };
    let row = |(place, count): (usize, &u64)| {
        (
            name(place),
            shown::number(*count),
            shown::percent(*count, all),
        )
    };
    counts.iter().enumerate().map(row).collect()
}

/// The span within which half of the proofs came.
fn typical(sum: &Tally) -> String {
    let counts = sum.verified_within();
    let all: u64 = counts.iter().sum();
    let mut seen = 0;
    for (place, count) in counts.iter().enumerate() {
        seen += count;
        if all > 0 && seen * 2 >= all {
            return Tally::WITHIN.get(place).map_or_else(
                || "over 10 min".to_owned(),
                |end| format!("within {}", shown::span(*end)),
            );
        }
    }
    "–".to_owned()
}
