//! Overview: the funnel of a period, from the counts by minute.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use postern_core::model::{Counter, MailProvider, Tally, Timestamp};

use crate::dashboard::Dashboard;
use crate::dashboard::chart::{self, Bar};
use crate::dashboard::document::{Shell, html};
use crate::dashboard::fares::{self, Fares};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// A period: its name in the query, its name, its length in minutes, and how long a bar is, in minutes
/// and in words.
struct Period(&'static str, &'static str, u32, u32, &'static str);

const PERIODS: [Period; 4] = [
    Period("1h", "Last hour", 60, 2, "2 minutes"),
    Period("24h", "Last 24 hours", 1440, 60, "an hour"),
    Period("7d", "Last 7 days", 10_080, 360, "6 hours"),
    Period("30d", "Last 30 days", 43_200, 1440, "a day"),
];

struct Figure {
    label: &'static str,
    value: String,
    share: String,
    tone: &'static str,
    meter: String,
}

/// Something that went wrong: how often, how bad that is, and where the cases are.
struct Count {
    label: &'static str,
    value: String,
    tone: &'static str,
    cases: String,
}

/// A span of time to verify: its name, how many proofs came in it, their share, and that as a bar.
struct Within {
    name: String,
    count: String,
    share: String,
    meter: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    shell: Shell,
    period: &'static str,
    periods: Vec<(&'static str, &'static str)>,
    funnel: Vec<Figure>,
    trouble: Vec<Count>,
    chart: String,
    bars: Vec<Bar>,
    most: String,
    bar: &'static str,
    ticks: Vec<String>,
    within: Vec<Within>,
    typical: String,
    waiting: String,
    oldest: String,
    providers: Vec<(String, String, Fares)>,
    callbacks: bool,
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
    let from = first_bar(now, period);
    let end = now.plus(Duration::from_mins(1));
    let spans = store.tallies(from, end, period.3).await?;
    let mut sum = Tally::default();
    for (_, tally) in &spans {
        sum.add(tally);
    }
    let outbox = store.outbox().await?;
    let bars = bars(&spans, (from, now), period.3);
    let callbacks = !dashboard.postern.snapshot().hooks.is_empty();
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        period: period.0,
        periods: PERIODS.iter().map(|period| (period.0, period.1)).collect(),
        funnel: funnel(&sum, callbacks),
        trouble: trouble(&sum, period.0),
        chart: chart::bars(
            "Sign-ins requested, and of these verified, over time",
            &bars,
        ),
        most: shown::number(bars.iter().map(|bar| bar.whole).max().unwrap_or(0)),
        bar: period.4,
        ticks: ticks(&bars, period.2),
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
        callbacks,
        empty: sum == Tally::default(),
    }))
}

/// Where the first bar begins. Bars are whole, but for the last, which is still running: so the first
/// begins a period before it, and counts all that its label says.
fn first_bar(now: Timestamp, period: &Period) -> Timestamp {
    let step = i64::from(period.3) * 60_000_000;
    let running = now.micros().div_euclid(step) * step;
    Timestamp::from_micros(running).minus(Duration::from_mins(period.2.into()))
}

/// What stands below each bar: the time of day or the date at which it begins, below some of them.
fn ticks(bars: &[Bar], minutes: u32) -> Vec<String> {
    let apart = bars.len().div_ceil(6).max(1);
    let last = bars.len().saturating_sub(1);
    // The last one stands at the right, so what is next to it must be some way off.
    let shown = |place: usize| place.is_multiple_of(apart) && place + apart / 2 < last;
    let part = if minutes <= 1440 { 11..16 } else { 5..10 };
    let tick = |(place, bar): (usize, &Bar)| match place {
        place if place == last => "now".to_owned(),
        place if shown(place) => bar.label.get(part.clone()).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    bars.iter().enumerate().map(tick).collect()
}

fn providers(dashboard: &Dashboard) -> Vec<(String, String, Fares)> {
    let snapshot = dashboard.postern.snapshot();
    let mut fares = fares::of_all(dashboard);
    let row = |provider: &MailProvider| {
        let server = format!("{}:{}", provider.host, provider.port);
        let fares = fares.remove(&provider.name).unwrap_or_default();
        (provider.name.clone(), server, fares)
    };
    snapshot.providers.iter().map(row).collect()
}

/// From the request to its end. How many mails were delivered is known where a provider tells.
fn funnel(sum: &Tally, callbacks: bool) -> Vec<Figure> {
    let (requests, resends) = (sum.get(Counter::Requests), sum.get(Counter::Resends));
    let sent = sum.get(Counter::Sent);
    let delivered = sum.get(Counter::Delivered);
    let ended = sum.get(Counter::Expired) + sum.get(Counter::Locked);
    let of = |what: &str, part, whole| format!("{} {what}", shown::percent(part, whole));
    let figure = |label, value, share, (whole, tone)| Figure {
        label,
        value: shown::number(value),
        share,
        tone,
        meter: chart::meter(value, whole, tone),
    };
    let asked = format!("and {} resends", shown::number(resends));
    let mails = requests + resends;
    let mut funnel = vec![
        figure("Requested", requests, asked, (requests, "")),
        figure("Mails sent", sent, of("of mails", sent, mails), (mails, "")),
        figure(
            "Delivered",
            delivered,
            of("of mails sent", delivered, sent),
            (sent, ""),
        ),
        figure(
            "Verified",
            sum.get(Counter::Verified),
            of("of requests", sum.get(Counter::Verified), requests),
            (requests, "good"),
        ),
        figure(
            "Failed",
            ended,
            "expired, or ended by wrong codes".into(),
            (requests, "bad"),
        ),
    ];
    if !callbacks && delivered == 0 {
        "–".clone_into(&mut funnel[2].value);
        "not known without callbacks".clone_into(&mut funnel[2].share);
    }
    funnel
}

fn trouble(sum: &Tally, period: &str) -> Vec<Count> {
    let lost = format!("/dashboard/logs?status=LOST&period={period}");
    let figure = |label, counter| {
        let value = sum.get(counter);
        let cases = match counter {
            Counter::Bounced | Counter::Failed if value > 0 => lost.clone(),
            _ => String::new(),
        };
        Count {
            label,
            value: shown::number(value),
            tone: if value > 0 { "bad" } else { "" },
            cases,
        }
    };
    vec![
        figure("Calls refused by a limit", Counter::Throttled),
        figure("Wrong codes", Counter::WrongCodes),
        figure("Requests ended by wrong codes", Counter::Locked),
        figure("Recipients refused", Counter::Bounced),
        figure("Mails not sent in time", Counter::Failed),
        figure("Mails overtaken by a newer one", Counter::Abandoned),
        figure("Tries that are repeated later", Counter::Deferred),
        figure("Called spam", Counter::Complained),
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

fn within(sum: &Tally) -> Vec<Within> {
    let counts = sum.verified_within();
    let all: u64 = counts.iter().sum();
    let name = |place: usize| match (place.checked_sub(1), Tally::WITHIN.get(place)) {
        (None, Some(end)) => format!("up to {}", shown::span(*end)),
        (Some(before), Some(end)) => {
            let begin = Tally::WITHIN[before];
            format!("{} to {}", shown::span(begin), shown::span(*end))
        }
        (_, None) => "later".to_owned(),
    };
    let row = |(place, count): (usize, &u64)| Within {
        name: name(place),
        count: shown::number(*count),
        share: shown::percent(*count, all),
        meter: chart::meter(*count, all, ""),
    };
    counts.iter().enumerate().map(row).collect()
}

/// The span within which half of the proofs came; empty before the first.
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
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bar_is_whole_and_its_label_is_where_it_begins() {
        let now = Timestamp::from_unix_seconds(1_800_000_000 + 48 * 60);
        for period in &PERIODS {
            let from = first_bar(now, period);
            let bars = bars(&[], (from, now), period.3);
            let wanted = period.2 / period.3 + 1;
            assert_eq!(bars.len(), usize::try_from(wanted).unwrap(), "{}", period.0);
            assert_eq!(bars[0].label, shown::at(from), "{}", period.0);
        }
    }

    #[test]
    fn ticks_name_the_bar_that_they_stand_below() {
        let now = Timestamp::from_unix_seconds(1_800_000_000 + 48 * 60);
        let bars = bars(&[], (first_bar(now, &PERIODS[1]), now), 60);
        let ticks = ticks(&bars, 1440);
        let told: Vec<_> = (0..)
            .zip(&ticks)
            .filter(|(_, text)| !text.is_empty())
            .collect();
        assert_eq!(told[0], (0, &"08:00".to_owned()));
        assert_eq!(told[1], (5, &"13:00".to_owned()));
        assert_eq!(ticks.last().unwrap(), "now");
        assert_eq!(ticks.len(), bars.len());
    }
}
