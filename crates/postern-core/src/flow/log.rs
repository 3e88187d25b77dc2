use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Postern;
use super::admin_mail::dashboard_client;
use crate::error::{Error, Violation};
use crate::model::{AuthRequestId, ClientId, Email, Event, LogEntry, LogStatus, Timestamp};
use crate::ports::{LogPage, LogPlace, LogQuery};

/// What is looked for in the authentication log; an empty text asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct LogInput {
    /// Rows of a page; 0 is [`LogInput::PAGE`], and more than [`LogInput::LARGEST_PAGE`] is that.
    pub page_size: u32,
    /// A token of an earlier answer.
    pub page_token: String,
    /// Only this address, in any spelling of it.
    pub email: String,
    /// Only these statuses, in any case.
    pub statuses: Vec<String>,
    /// Only requests whose mail did not arrive, as far as that is known.
    pub lost: bool,
    /// Opened then or later.
    pub from: Option<Timestamp>,
    /// Opened then or earlier.
    pub to: Option<Timestamp>,
    /// Only this request: `req_…`, or the `auth_request_id` that send answered.
    pub request: String,
    /// Only this client.
    pub client: String,
    /// Leaves out how admins signed in to the dashboard, which is nothing for those who only call.
    pub without_dashboard: bool,
}

impl LogInput {
    /// Rows of a page that asks for no size.
    pub const PAGE: usize = 20;
    /// Rows of the largest page.
    pub const LARGEST_PAGE: usize = 100;
}

/// One page of the authentication log.
#[derive(Clone, Debug, Default)]
pub struct LogAnswer {
    /// Its rows, newest first.
    pub entries: Vec<LogEntry>,
    /// Leads to older rows; empty at the end.
    pub next: String,
    /// Leads to newer rows; empty at the start.
    pub previous: String,
    /// How many rows there are in all, exact to 10,000 and that at most.
    pub total: u64,
}

impl Postern {
    /// Looks into the authentication log, which is at most 2 s behind.
    ///
    /// # Errors
    /// Every field that cannot be read, by name.
    pub async fn log(&self, input: &LogInput) -> Result<LogAnswer, Error> {
        let mut wrong = Vec::new();
        let query = query(input, &mut wrong);
        let request = self.named(&input.request, &mut wrong);
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        if let Some(id) = request {
            let found = self.store.find_logged(id).await?;
            let entries: Vec<_> = found
                .filter(|entry| fits(entry, &query))
                .into_iter()
                .collect();
            return Ok(LogAnswer {
                total: entries.len() as u64,
                entries,
                ..LogAnswer::default()
            });
        }
        Ok(answer(self.store.log(query).await?))
    }

    /// One request with its timeline, by `req_…` or by the id that send answered.
    ///
    /// # Errors
    /// [`Error::AuthRequestNotFound`].
    pub async fn logged(&self, request: &str) -> Result<(LogEntry, Vec<Event>), Error> {
        let id = self.named(request, &mut Vec::new());
        let id = id.ok_or(Error::AuthRequestNotFound)?;
        let entry = self.store.find_logged(id).await?;
        let entry = entry.ok_or(Error::AuthRequestNotFound)?;
        Ok((entry, self.store.timeline(id).await?))
    }

    /// Logs show the untagged id; who searches may have the tagged one.
    fn named(&self, text: &str, wrong: &mut Vec<Violation>) -> Option<AuthRequestId> {
        if text.is_empty() {
            return None;
        }
        let id = AuthRequestId::parse(text).or_else(|| self.keyring().read_handle(text));
        if id.is_none() {
            wrong.push(Violation::new(
                "resource_id",
                "id",
                "resource_id is not the id of an auth request: give req_… or what send answered",
            ));
        }
        id
    }
}

fn query(input: &LogInput, wrong: &mut Vec<Violation>) -> LogQuery {
    let email = given(&input.email).map(Email::parse).transpose();
    let email = email.unwrap_or_else(|problem| {
        wrong.push(Violation::new("email", "email", problem.to_string()));
        None
    });
    let client = given(&input.client).and_then(|text| {
        let client = ClientId::parse(text);
        if client.is_none() {
            wrong.push(Violation::new(
                "client_id",
                "id",
                "client_id is not a client's id",
            ));
        }
        client
    });
    let place = place(&input.page_token).unwrap_or_else(|| {
        let told = "page_token is not one that an earlier answer gave";
        wrong.push(Violation::new("page_token", "token", told));
        LogPlace::Newest
    });
    let limit = match usize::try_from(input.page_size).unwrap_or(usize::MAX) {
        0 => LogInput::PAGE,
        size => size.min(LogInput::LARGEST_PAGE),
    };
    LogQuery {
        address: email.map(|email| email.key()),
        client,
        without: input.without_dashboard.then(dashboard_client),
        statuses: statuses(&input.statuses, wrong),
        lost: input.lost,
        from: input.from,
        to: input.to,
        place,
        limit,
    }
}

fn statuses(texts: &[String], wrong: &mut Vec<Violation>) -> Vec<LogStatus> {
    let mut statuses = Vec::new();
    for text in texts.iter().filter(|text| !text.is_empty()) {
        match LogStatus::parse(text) {
            Some(status) if !statuses.contains(&status) => statuses.push(status),
            Some(_) => {}
            None => {
                let told = "status is not one of INITIATED, PENDING, SUCCESS, FAILED";
                wrong.push(Violation::new("status", "defined_only", told));
            }
        }
    }
    statuses
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn fits(entry: &LogEntry, query: &LogQuery) -> bool {
    query.address.is_none_or(|address| entry.address == address)
        && query
            .client
            .as_ref()
            .is_none_or(|client| entry.client == *client)
        && query.without.as_ref() != Some(&entry.client)
        && (query.statuses.is_empty() || query.statuses.contains(&entry.status))
        && (!query.lost || entry.lost)
        && query.from.is_none_or(|from| entry.at >= from)
        && query.to.is_none_or(|to| entry.at <= to)
}

fn answer(page: LogPage) -> LogAnswer {
    let token = |place: Option<LogPlace>| place.map(written).unwrap_or_default();
    LogAnswer {
        next: token(page.older.map(LogPlace::Before)),
        previous: token(page.newer.map(LogPlace::After)),
        total: page.total.min(LogPage::COUNTED),
        entries: page.entries,
    }
}

/// A place as a token: one byte for the direction, eight for the number.
fn written(place: LogPlace) -> String {
    let (direction, number) = match place {
        LogPlace::Newest => return String::new(),
        LogPlace::Before(number) => (b'b', number),
        LogPlace::After(number) => (b'a', number),
    };
    let mut bytes = vec![direction];
    bytes.extend(number.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn place(token: &str) -> Option<LogPlace> {
    if token.is_empty() {
        return Some(LogPlace::Newest);
    }
    let bytes: [u8; 9] = URL_SAFE_NO_PAD.decode(token).ok()?.try_into().ok()?;
    let number = i64::from_be_bytes(bytes[1..].try_into().ok()?);
    match bytes[0] {
        b'b' => Some(LogPlace::Before(number)),
        b'a' => Some(LogPlace::After(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_from_its_token_and_nothing_else_is_one() {
        for at in [LogPlace::Newest, LogPlace::Before(7), LogPlace::After(-1)] {
            assert_eq!(place(&written(at)), Some(at));
        }
        for token in ["x", "AAAA", "7", "eAAAAAAAAAAH"] {
            assert_eq!(place(token), None, "{token}");
        }
    }
}
