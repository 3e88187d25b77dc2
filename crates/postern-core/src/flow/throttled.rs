use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Error;
use crate::model::{AddressKey, ClientId, Event, EventKind, Timestamp};

/// Calls refused by a limit, counted in memory: one event for each address and window is written,
/// not one for each refused call. Bounded; past the bound the refused calls are still refused, and
/// only their count is lost.
#[derive(Default)]
pub struct ThrottleTally {
    windows: Mutex<HashMap<(AddressKey, &'static str), Window>>,
}

struct Window {
    client: ClientId,
    first: Timestamp,
    until: Timestamp,
    count: u64,
}

impl ThrottleTally {
    const MOST: usize = 10_000;
    /// How long a window lasts at most: what a limit of a day refuses is told before the day is over.
    const LONGEST: Duration = Duration::from_mins(1);

    /// Counts the call if `error` is a limit that frees again.
    pub fn note(&self, address: AddressKey, client: &ClientId, error: &Error, now: Timestamp) {
        let Error::RateLimited { what, retry_after } = error else {
            return;
        };
        let mut windows = self.lock();
        if let Some(window) = windows.get_mut(&(address, *what)) {
            window.count += 1;
        } else if windows.len() < Self::MOST {
            let until = now.plus(Self::LONGEST.min(*retry_after));
            windows.insert(
                (address, *what),
                Window {
                    client: client.clone(),
                    first: now,
                    until,
                    count: 1,
                },
            );
        }
    }

    /// Takes the windows that are over at `now`, or all, as events.
    pub fn take_due(&self, now: Timestamp, all: bool) -> Vec<Event> {
        let mut windows = self.lock();
        let over: Vec<_> = windows
            .iter()
            .filter(|(_, w)| all || w.until <= now)
            .map(|(key, _)| *key)
            .collect();
        over.into_iter()
            .filter_map(|key| windows.remove(&key).map(|window| told(key, &window)))
            .collect()
    }

    /// What windows that are not over tell of an address, so that nobody has to wait for their end.
    pub(super) fn about(&self, address: AddressKey) -> Vec<Event> {
        let windows = self.lock();
        let here = windows.iter().filter(|(key, _)| key.0 == address);
        here.map(|(key, window)| told(*key, window)).collect()
    }

    /// Takes back events that could not be written; they are due at once.
    pub(super) fn put_back(&self, events: Vec<Event>, now: Timestamp) {
        let mut windows = self.lock();
        for event in events {
            let (EventKind::Throttled { what, count }, Some(client)) = (event.what, event.client)
            else {
                continue;
            };
            let what = known(&what);
            let window = windows.entry((event.address, what)).or_insert(Window {
                client,
                first: event.at,
                until: now,
                count: 0,
            });
            window.count += count;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(AddressKey, &'static str), Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told((address, what): (AddressKey, &'static str), window: &Window) -> Event {
    Event {
        at: window.first,
        request: None,
        client: Some(window.client.clone()),
        address,
        what: EventKind::Throttled {
            what: what.to_owned(),
            count: window.count,
        },
    }
}

fn known(what: &str) -> &'static str {
    const ALL: [&str; 3] = [
        "mails to this address",
        "mails from this client",
        "wrong codes for this address",
    ];
    ALL.into_iter()
        .find(|name| *name == what)
        .unwrap_or("calls")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixtures::{at, client};

    const MAILS: &str = "mails to this address";

    fn refused(seconds: u64) -> Error {
        Error::RateLimited {
            what: MAILS,
            retry_after: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn calls_of_one_window_are_one_event_with_their_count() {
        let tally = ThrottleTally::default();
        for second in 0..10 {
            tally.note(AddressKey([1; 16]), &client(), &refused(60), at(second));
        }
        assert_eq!(tally.take_due(at(59), false), vec![]);
        let told = tally.take_due(at(60), false);
        assert_eq!(told.len(), 1);
        assert_eq!(
            told[0].what,
            EventKind::Throttled {
                what: MAILS.to_owned(),
                count: 10
            }
        );
        assert_eq!(told[0].at, at(0));
        assert_eq!(tally.take_due(at(999), true), vec![]);
    }

    #[test]
    fn what_a_long_limit_refuses_is_told_by_the_minute() {
        let tally = ThrottleTally::default();
        let key = AddressKey([1; 16]);
        tally.note(key, &client(), &refused(86_400), at(0));
        tally.note(key, &client(), &refused(86_341), at(59));
        assert_eq!(tally.about(AddressKey([2; 16])), vec![]);
        let open = tally.about(key);
        let told = tally.take_due(at(60), false);
        assert_eq!(open, told);
        assert_eq!(told.len(), 1);
        assert_eq!(tally.about(key), vec![]);
    }

    #[test]
    fn other_refusals_are_not_counted() {
        let tally = ThrottleTally::default();
        tally.note(
            AddressKey([1; 16]),
            &client(),
            &Error::TooManyAttempts,
            at(0),
        );
        assert_eq!(tally.take_due(at(0), true), vec![]);
    }

    #[test]
    fn the_tally_is_bounded_and_what_could_not_be_written_comes_again() {
        let tally = ThrottleTally::default();
        for n in 0..=u32::try_from(ThrottleTally::MOST).unwrap() {
            let mut key = [0; 16];
            key[..4].copy_from_slice(&n.to_be_bytes());
            tally.note(AddressKey(key), &client(), &refused(1), at(0));
        }
        let told = tally.take_due(at(1), false);
        assert_eq!(told.len(), ThrottleTally::MOST);
        tally.put_back(told.clone(), at(1));
        assert_eq!(tally.take_due(at(1), false).len(), told.len());
    }
}
