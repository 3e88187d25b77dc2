use super::{AddressKey, AuthRequestId, ClientId, Event, EventKind, Timestamp};

/// Names a row of the store's events; grows with every commit.
pub type EventId = [u8; 16];

/// One auth request in the authentication log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Which request.
    pub id: AuthRequestId,
    /// When it was opened.
    pub at: Timestamp,
    /// Whose it is.
    pub client: ClientId,
    /// The address as given.
    pub email: String,
    /// The address's key.
    pub address: AddressKey,
    /// What has become of it.
    pub status: LogStatus,
    /// When something last happened to it.
    pub last_at: Timestamp,
    /// What that was: the name of an [`EventKind`].
    pub last: String,
    /// Whether its last mail that came to an end did not arrive: refused, sent back, or not sent in time.
    pub lost: bool,
    /// Its rows of events, oldest first; at most [`LogEntry::MOST_EVENTS`].
    pub events: Vec<EventId>,
}

impl LogEntry {
    /// Rows of events that an entry names; a request cannot come by more in its day of life
    /// unless its mails are put off again and again.
    pub const MOST_EVENTS: usize = 200;

    /// The entry of a request that `told`, one act's events, opened.
    pub fn open(row: EventId, told: &[Event]) -> Option<Self> {
        let opened = told.iter().find_map(|event| {
            if let EventKind::Initiated { email, .. } = &event.what {
                Some((event, email))
            } else {
                None
            }
        });
        let (event, email) = opened?;
        let mut entry = Self {
            id: event.request?,
            at: event.at,
            client: event.client.clone()?,
            email: email.clone(),
            address: event.address,
            status: LogStatus::Initiated,
            last_at: event.at,
            last: String::new(),
            lost: false,
            events: Vec::new(),
        };
        entry.add(row, told);
        Some(entry)
    }

    /// Takes in what one act told about the request.
    pub fn add(&mut self, row: EventId, told: &[Event]) {
        for event in told {
            self.status = self.status.after(&event.what);
            self.lost = loses_mail(&event.what).unwrap_or(self.lost);
            self.last_at = self.last_at.max(event.at);
            event.what.name().clone_into(&mut self.last);
        }
        if self.events.len() < Self::MOST_EVENTS {
            self.events.push(row);
        }
    }
}

/// Whether a mail did not arrive, for what tells of a mail's end.
fn loses_mail(what: &EventKind) -> Option<bool> {
    match what.name() {
        "mail_sent" | "mail_delivered" => Some(false),
        "mail_failed" | "mail_bounced" => Some(true),
        // Others ended because nobody needed them any more.
        "mail_abandoned" => {
            let late =
                matches!(what, EventKind::MailAbandoned { reason, .. } if reason == "expired");
            late.then_some(true)
        }
        _ => None,
    }
}

/// What has become of an auth request, in the words of the authentication-log API (contract §10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogStatus {
    /// It was sent and is open.
    Initiated,
    /// A redirect is under way; the passwordless calls never are.
    Pending,
    /// The right proof was accepted.
    Success,
    /// It expired, or the last wrong code ended it.
    Failed,
}

impl LogStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Initiated, Self::Pending, Self::Success, Self::Failed];

    /// The status with this name, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
    }

    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "INITIATED",
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
        }
    }

    /// Its number in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Initiated => 0,
            Self::Pending => 1,
            Self::Success => 2,
            Self::Failed => 3,
        }
    }

    /// The status with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.number() == number)
    }

    /// The status once `what` has happened: success is for good, and a resend opens what expired.
    fn after(self, what: &EventKind) -> Self {
        match (self, what.name()) {
            (Self::Success, _) | (_, "verified") => Self::Success,
            (_, "locked" | "expired") => Self::Failed,
            (_, "resent") => Self::Initiated,
            (before, _) => before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UsedBy;

    fn told(what: EventKind) -> Vec<Event> {
        vec![Event {
            at: Timestamp::from_micros(5),
            request: Some(AuthRequestId::from_bytes([1; 16])),
            client: ClientId::parse("skc_1"),
            address: AddressKey([2; 16]),
            what,
        }]
    }

    fn opened() -> LogEntry {
        let initiated = EventKind::Initiated {
            email: "ada@example.com".into(),
            method: crate::model::Method::Otp,
            template: None,
            hardened: false,
            expires_in: 300,
        };
        LogEntry::open([0; 16], &told(initiated)).unwrap()
    }

    #[test]
    fn a_request_succeeds_once_and_for_good() {
        let mut entry = opened();
        assert_eq!(entry.status, LogStatus::Initiated);
        entry.add([1; 16], &told(EventKind::Expired));
        assert_eq!(entry.status, LogStatus::Failed);
        let resent = EventKind::Resent {
            regenerated: true,
            generation: 1,
        };
        entry.add([2; 16], &told(resent));
        assert_eq!(entry.status, LogStatus::Initiated);
        let verified = EventKind::Verified { by: UsedBy::Code };
        entry.add([3; 16], &told(verified));
        entry.add([4; 16], &told(EventKind::Expired));
        assert_eq!(entry.status, LogStatus::Success);
        assert_eq!((entry.events.len(), &*entry.last), (5, "expired"));
    }

    #[test]
    fn a_mail_is_lost_until_another_one_arrives() {
        let sent = |delivery| EventKind::MailSent {
            delivery,
            attempts: 1,
            provider: "relay".into(),
            reply: "250 ok".into(),
        };
        let abandoned = |reason: &str| EventKind::MailAbandoned {
            delivery: 0,
            reason: reason.into(),
        };
        let bounced = EventKind::MailBounced {
            delivery: 0,
            provider: "relay".into(),
            bad_mailbox: true,
            reason: "no such user".into(),
        };
        let mut entry = opened();
        for (what, lost) in [
            (abandoned("superseded"), false),
            (sent(0), false),
            (bounced, true),
            (EventKind::Expired, true),
            (sent(1), false),
            (abandoned("expired"), true),
        ] {
            entry.add([1; 16], &told(what.clone()));
            assert_eq!(entry.lost, lost, "{what:?}");
        }
    }

    #[test]
    fn only_a_send_opens_an_entry() {
        assert_eq!(LogEntry::open([0; 16], &told(EventKind::Locked)), None);
    }
}
