//! Authentication logs: the list, its live rows, and one request's timeline.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use postern_core::error::{Error, Violation};
use postern_core::flow::{LogAnswer, LogInput};
use postern_core::model::{LogEntry, LogStatus, Timestamp};
use postern_core::ports::LogPage;

use super::steps::{self, Step};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, html};
use crate::dashboard::fields::{Fields, query};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;

/// A row of the list.
pub(super) struct Row {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) status: &'static str,
    pub(super) tone: &'static str,
    /// Whether its mail did not arrive.
    pub(super) lost: bool,
    pub(super) last: String,
    pub(super) last_tone: &'static str,
    pub(super) at: String,
    pub(super) client: String,
}

impl Row {
    /// The row of an entry.
    pub(super) fn of(dashboard: &Dashboard, entry: &LogEntry) -> Self {
        let snapshot = dashboard.postern.snapshot();
        let client = snapshot.clients.get(&entry.client);
        let (status, tone) = status(entry.status);
        Self {
            id: entry.id.to_string(),
            email: entry.email.clone(),
            status,
            tone,
            lost: entry.lost,
            last: steps::name(&entry.last),
            last_tone: steps::tone(&entry.last),
            at: shown::at(entry.at),
            client: client.map_or_else(|| of_nobody(entry), |client| client.name.clone()),
        }
    }
}

fn of_nobody(entry: &LogEntry) -> String {
    match entry.client.as_str() {
        "postern-dashboard" => "This dashboard".to_owned(),
        id => id.to_owned(),
    }
}

fn status(status: LogStatus) -> (&'static str, &'static str) {
    match status {
        LogStatus::Initiated => ("Initiated", "open"),
        LogStatus::Pending => ("Pending", "open"),
        LogStatus::Success => ("Success", "good"),
        LogStatus::Failed => ("Failed", "bad"),
    }
}

/// What the filter above the list says.
#[derive(Clone)]
pub(super) struct Filter {
    pub(super) email: String,
    pub(super) status: String,
    pub(super) client: String,
    pub(super) period: String,
    pub(super) from: String,
    pub(super) to: String,
}

impl Filter {
    /// The filter that a query tells.
    pub(super) fn of(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).to_owned();
        Self {
            email: text("email"),
            status: text("status"),
            client: text("client"),
            period: text("period"),
            from: text("from"),
            to: text("to"),
        }
    }

    /// What the flow is asked; what is typed into the address field may be a request's id too.
    ///
    /// # Errors
    /// A moment that is none: without it, more would be answered than was asked for.
    pub(super) fn input(&self, dashboard: &Dashboard, token: &str) -> Result<LogInput, Error> {
        let (from, to) = (
            self.begin(dashboard.postern.now())?,
            moment("to", &self.to)?,
        );
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            let told = "the range runs backwards: from is later than to";
            return Err(Error::invalid("from", "range", told));
        }
        let named = !self.email.contains('@') && !self.email.is_empty();
        Ok(LogInput {
            page_token: token.to_owned(),
            email: if named {
                String::new()
            } else {
                self.email.clone()
            },
            request: if named {
                self.email.clone()
            } else {
                String::new()
            },
            lost: self.is_lost(),
            statuses: if self.is_lost() {
                Vec::new()
            } else {
                vec![self.status.clone()]
            },
            from,
            to,
            client: self.client.clone(),
            ..LogInput::default()
        })
    }

    /// Whether only requests without their mail are asked for, whatever their status.
    fn is_lost(&self) -> bool {
        self.status == "LOST"
    }

    fn begin(&self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        let hours = match self.period.as_str() {
            "1h" => 1,
            "24h" => 24,
            "7d" => 168,
            "30d" => 720,
            _ => 0,
        };
        let period = (hours > 0).then(|| now.minus(Duration::from_hours(hours)));
        // Whoever gives both means what is in both.
        Ok(moment("from", &self.from)?.max(period))
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        vec![
            ("email", &self.email),
            ("status", &self.status),
            ("client", &self.client),
            ("period", &self.period),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// The filter as a query, with the page that `token` names.
    pub(super) fn with(&self, token: &str) -> String {
        let mut pairs = self.pairs();
        pairs.push(("page", token));
        query(&pairs)
    }

    fn is_empty(&self) -> bool {
        self.pairs().iter().all(|(_, text)| text.is_empty())
    }
}

/// A moment as a date-and-time field writes it, in UTC.
fn moment(field: &'static str, text: &str) -> Result<Option<Timestamp>, Error> {
    let full = match text.len() {
        0 => return Ok(None),
        16 => format!("{text}:00Z"),
        _ => format!("{text}Z"),
    };
    let at = full.parse::<prost_types::Timestamp>();
    let at = at.map_err(|_| {
        let told = format!("{field} is no date and time, such as 2026-02-28T09:30");
        Error::invalid(field, "datetime", told)
    })?;
    Ok(Some(Timestamp::from_unix_seconds(at.seconds)))
}

#[derive(Template)]
#[template(path = "logs.html")]
struct Page {
    shell: Shell,
    filter: Filter,
    clients: Vec<(String, String)>,
    rows: Rows,
    asked: String,
    first: bool,
    live: bool,
    wrong: String,
}

#[derive(Template)]
#[template(path = "log_rows.html")]
struct Rows {
    filter: Filter,
    found: Vec<Row>,
    total: String,
    older: String,
    newer: String,
    /// The filter, to be appended to a query.
    same: String,
}

impl Rows {
    fn of(dashboard: &Dashboard, filter: Filter, answer: &LogAnswer) -> Self {
        let link = |token: &str| match token {
            "" => String::new(),
            token => format!("/dashboard/logs?{}", filter.with(token)),
        };
        let capped = if answer.total >= LogPage::COUNTED {
            " or more"
        } else {
            ""
        };
        let rows = answer.entries.iter().map(|entry| Row::of(dashboard, entry));
        let asked = filter.with("");
        Self {
            found: rows.collect(),
            total: format!("{}{capped}", shown::number(answer.total)),
            older: link(&answer.next),
            newer: link(&answer.previous),
            same: if asked.is_empty() {
                asked
            } else {
                format!("&{asked}")
            },
            filter,
        }
    }
}

#[derive(Template)]
#[template(path = "log_detail.html")]
struct Detail {
    shell: Shell,
    row: Row,
    steps: Vec<Step>,
}

/// The list.
pub(in crate::dashboard) async fn list(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let filter = Filter::of(&visit.query);
    let token = visit.query.get("page");
    let found = match filter.input(dashboard, token) {
        Ok(input) => dashboard.postern.log(&input).await,
        Err(wrong) => Err(wrong),
    };
    let (answer, wrong) = match found {
        Ok(answer) => (answer, String::new()),
        Err(Error::Invalid(wrong)) => (LogAnswer::default(), in_words(&wrong[0])),
        Err(error) => return Err(error.into()),
    };
    let first = token.is_empty();
    Ok(html(&Page {
        shell: Shell::of(dashboard, &visit),
        clients: clients(dashboard),
        rows: Rows::of(dashboard, filter.clone(), &answer),
        asked: filter.with(""),
        first,
        live: first && wrong.is_empty() && visit.query.get("live") != "off",
        wrong,
        filter,
    }))
}

/// What is wrong with the filter, by the names of its fields.
fn in_words(wrong: &Violation) -> String {
    if wrong.field == "resource_id" {
        return "Give the whole address, or the id of a request, which begins with req_."
            .to_owned();
    }
    wrong.description.clone()
}

/// The clients by name, for the filter.
pub(super) fn clients(dashboard: &Dashboard) -> Vec<(String, String)> {
    let snapshot = dashboard.postern.snapshot();
    let named = snapshot
        .clients
        .values()
        .map(|client| (client.id.to_string(), client.name.clone()));
    let mut clients: Vec<_> = named.collect();
    clients.sort_by(|a, b| a.1.cmp(&b.1));
    clients
}

/// The first page's rows, for the live list.
pub(in crate::dashboard) async fn rows(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let filter = Filter::of(&visit.query);
    let answer = dashboard.postern.log(&filter.input(dashboard, "")?).await?;
    Ok(html(&Rows::of(dashboard, filter, &answer)))
}

/// One request with its timeline.
pub(in crate::dashboard) async fn detail(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let (entry, events) = match dashboard.postern.logged(visit.path.get("id")).await {
        Err(Error::AuthRequestNotFound) => return Err(Trouble::NotFound),
        found => found?,
    };
    Ok(html(&Detail {
        shell: Shell::of(dashboard, &visit),
        row: Row::of(dashboard, &entry),
        steps: steps::of(&events),
    }))
}
