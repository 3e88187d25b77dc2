//! What became of mails.

use postern_core::Error;
use postern_core::model::{DeliveryState, Event, EventKind};
use postern_core::ports::AddressedDelivery;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::DeliveriesWanted;
use super::execute::{Admin, Refusal, parse_address};
use super::reply::AdminReply;
use super::shown::rfc3339;

/// A mail as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryRow {
    /// Its id: the request's, a dot, and its place in the request.
    pub id: String,
    /// Whom it is for.
    pub to: String,
    /// Where it stands.
    pub state: String,
    /// How often a provider was tried.
    pub attempts: u16,
    /// Who was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// When it was queued, RFC 3339.
    pub queued_at: String,
    /// While it is queued: when it is tried next, or the present attempt's lease ends, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
}

/// A mail with everything that happened to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeliveryTold {
    /// The mail.
    #[serde(flatten)]
    pub row: DeliveryRow,
    /// What happened, oldest first.
    pub timeline: Vec<TryRow>,
}

/// Something that happened to a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TryRow {
    /// When, RFC 3339 with milliseconds.
    pub at: String,
    /// What: the kind of the event, such as `mail_deferred`; `mail_put_off` when no provider was tried,
    /// because all were in trouble or at their limits.
    pub what: String,
    /// Which try it was, from 1; absent for what was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u16>,
    /// Which provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// For a failed try `deferred`, `trouble` or `unsure`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What was said, without secrets and addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

impl Admin {
    /// Lists the newest mails.
    pub(super) async fn list_deliveries(
        &self,
        wanted: DeliveriesWanted,
    ) -> Result<AdminReply, Refusal> {
        let state = wanted.state.as_deref().map(read_state).transpose()?;
        let to = wanted.to.as_deref().map(parse_address).transpose()?;
        let limit = wanted.limit;
        let found = self
            .postern
            .list_deliveries(state, to.as_ref(), limit)
            .await?;
        Ok(AdminReply::Deliveries(found.iter().map(row).collect()))
    }

    /// Shows what became of the mails of one request.
    pub(super) async fn show_deliveries(&self, id: &str) -> Result<AdminReply, Refusal> {
        let shown = self.postern.show_deliveries(id).await;
        let (found, events) = shown.map_err(|error| match error {
            Error::AuthRequestNotFound => {
                let id: String = id.chars().take(60).collect();
                Refusal(format!(
                    "no request or mail that is kept is called {id:?}: write req_…, req_….0 for one mail, or the \
                     auth_request_id that send answered"
                ))
            }
            other => other.into(),
        })?;
        if found.is_empty() {
            return Err(without_mail(&events));
        }
        let told = |one: &AddressedDelivery| DeliveryTold {
            row: row(one),
            timeline: timeline(&events, one.delivery.id.ordinal),
        };
        Ok(AdminReply::DeliveriesTold(found.iter().map(told).collect()))
    }
}

fn without_mail(events: &[Event]) -> Refusal {
    let of_test = events.iter().any(|one| one.what == EventKind::TestIdentity);
    let why = if of_test {
        "its address is a test identity (test_addresses), which is mailed nothing and signs in with test_code"
    } else {
        "it never had one, or it is not kept any more (keep_requests)"
    };
    Refusal(format!("this request has no mail: {why}"))
}

fn read_state(text: &str) -> Result<DeliveryState, Refusal> {
    let state = DeliveryState::ALL
        .into_iter()
        .find(|state| state.as_str() == text);
    state.ok_or_else(|| {
        let names: Vec<_> = DeliveryState::ALL
            .iter()
            .map(|state| state.as_str())
            .collect();
        Refusal(format!(
            "{text:?} is not a state: write one of {}",
            names.join(", ")
        ))
    })
}

fn row(one: &AddressedDelivery) -> DeliveryRow {
    let held = &one.delivery;
    DeliveryRow {
        id: held.id.to_string(),
        to: one.address.as_given().to_owned(),
        state: held.state.as_str().to_owned(),
        attempts: held.attempts,
        provider: held.last_try.as_ref().map(|last| last.provider.clone()),
        queued_at: rfc3339(held.queued_at),
        due_at: (held.state == DeliveryState::Queued).then(|| rfc3339(held.due_at)),
    }
}

/// The events that name this mail of the request, whatever kinds there are.
fn timeline(events: &[Event], ordinal: u16) -> Vec<TryRow> {
    let told = |event: &Event| {
        let what = serde_json::to_value(&event.what).ok()?;
        let text = |key: &str| what.get(key).and_then(Value::as_str).map(str::to_owned);
        (what.get("delivery")?.as_u64()? == u64::from(ordinal)).then(|| TryRow {
            at: super::shown::rfc3339_millis(event.at),
            what: if event.what.is_put_off() {
                "mail_put_off".to_owned()
            } else {
                event.what.name().to_owned()
            },
            attempt: event.what.attempt(),
            provider: text("provider"),
            fault: text("fault").filter(|_| !event.what.is_put_off()),
            reply: text("reply").or_else(|| text("reason")),
        })
    };
    events.iter().filter_map(told).collect()
}

#[cfg(test)]
mod tests {
    use postern_core::model::{Email, Fault, Timestamp};

    use super::*;

    fn event(what: EventKind) -> Event {
        Event {
            at: Timestamp::from_unix_seconds(1_800_000_000),
            request: None,
            client: None,
            address: Email::parse("ada@example.com").unwrap().key(),
            what,
        }
    }

    fn deferred(attempts: u16, provider: Option<&str>) -> EventKind {
        EventKind::MailDeferred {
            delivery: 0,
            attempts,
            provider: provider.map(str::to_owned),
            fault: Fault::Trouble,
            reason: "every mail provider is in trouble".to_owned(),
        }
    }

    #[test]
    fn a_mail_that_was_put_off_is_told_apart_from_one_that_was_tried() {
        let events = [
            event(deferred(1, Some("main"))),
            event(deferred(1, None)),
            event(deferred(2, Some("main"))),
        ];
        let told: Vec<_> = timeline(&events, 0)
            .into_iter()
            .map(|row| (row.what, row.attempt, row.fault))
            .collect();
        let trouble = Some("trouble".to_owned());
        assert_eq!(
            told,
            [
                ("mail_deferred".to_owned(), Some(1), trouble.clone()),
                ("mail_put_off".to_owned(), None, None),
                ("mail_deferred".to_owned(), Some(2), trouble),
            ]
        );
    }
}
