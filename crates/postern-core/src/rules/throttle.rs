use std::time::Duration;

use crate::error::Error;
use crate::model::{History, Timestamp};
use crate::ports::Ledger;
use crate::settings::Settings;

/// The window of the guess budget, and the longest that a send counts.
pub const BUDGET_SPAN: Duration = Duration::from_hours(24);

/// What a send or resend has used up, written when it is accepted and only then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// The address's send history with this send.
    pub sends: History,
    /// The client's counts with this send, when there is a cap.
    pub client_sends: Option<crate::model::SecondBuckets>,
}

/// Whether another mail may go to the address now, for this client.
///
/// A refused call changes nothing, so it neither extends nor refills a window.
///
/// # Errors
/// [`Error::RateLimited`] with the wait after which every window has room.
pub fn throttle(ledger: &Ledger, settings: &Settings, now: Timestamp) -> Result<Quotas, Error> {
    let windows = [
        (Duration::from_mins(1), settings.sends_per_minute),
        (Duration::from_hours(1), settings.sends_per_hour),
        (BUDGET_SPAN, settings.sends_per_day),
    ];
    let wait = windows
        .iter()
        .filter_map(|(span, limit)| wait_for(&ledger.sends, *span, *limit, now))
        .max();
    if let Some(retry_after) = wait {
        return Err(Error::RateLimited {
            what: "mails to this address",
            retry_after,
        });
    }
    let cap = u64::from(settings.client_sends_per_minute);
    if cap > 0 && ledger.client_sends.total(now) >= cap {
        let retry_after = ledger.client_sends.frees_at(now).since(now);
        return Err(Error::RateLimited {
            what: "mails from this client",
            retry_after,
        });
    }
    Ok(Quotas {
        sends: ledger.sends.with(now, BUDGET_SPAN),
        client_sends: (cap > 0).then(|| ledger.client_sends.with(now)),
    })
}

/// How long until the address is below its guess budget; `None` while it is.
pub fn budget_spent(guesses: &History, settings: &Settings, now: Timestamp) -> Option<Duration> {
    wait_for(guesses, BUDGET_SPAN, settings.guess_budget, now)
}

/// How long until fewer than `limit` moments lie within `span`; `None` when that is so now.
fn wait_for(history: &History, span: Duration, limit: u32, now: Timestamp) -> Option<Duration> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let count = history.count_within(span, now);
    if count < limit {
        return None;
    }
    let times = history.times();
    let leaves = times[times.len() - limit];
    Some(leaves.plus(span).since(now).max(Duration::from_micros(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::fixtures::at;

    fn ledger(seconds: &[i64]) -> Ledger {
        Ledger {
            sends: History::new(seconds.iter().map(|s| at(*s)).collect()),
            ..Ledger::default()
        }
    }

    fn wait(seconds: &[i64], now: i64) -> Option<u64> {
        throttle(&ledger(seconds), &Settings::default(), at(now))
            .err()
            .and_then(|e| e.retry_after())
            .map(|d| d.as_secs())
    }

    #[test]
    fn the_third_mail_in_a_minute_waits_until_the_first_is_a_minute_old() {
        assert_eq!(wait(&[0, 10], 20), Some(40));
        assert_eq!(wait(&[0, 10], 59), Some(1));
        assert_eq!(wait(&[0, 10], 60), None);
    }

    #[test]
    fn the_longest_wait_of_all_windows_is_told() {
        let hour: Vec<_> = (0..20).map(|n| n * 60).collect();
        assert_eq!(wait(&hour, 20 * 60), Some(3600 - 1200));
        let day: Vec<_> = (0..50).map(|n| n * 600).collect();
        assert_eq!(wait(&day, 50 * 600), Some(86_400 - 30_000));
    }

    #[test]
    fn an_accepted_send_is_added_and_what_is_a_day_old_is_forgotten() {
        let quotas = throttle(&ledger(&[0, 90_000]), &Settings::default(), at(90_100)).unwrap();
        assert_eq!(quotas.sends, History::new(vec![at(90_000), at(90_100)]));
    }

    #[test]
    fn a_clock_that_stepped_back_never_lets_more_through() {
        assert!(wait(&[100, 110], 50).is_some());
        let quotas = throttle(&ledger(&[100]), &Settings::default(), at(50)).unwrap();
        assert_eq!(quotas.sends.times(), [at(100), at(100)]);
    }

    #[test]
    fn a_client_cap_counts_whole_seconds_and_is_off_by_default() {
        let settings = Settings {
            client_sends_per_minute: 2,
            ..Settings::default()
        };
        let mut ledger = Ledger::default();
        for second in [0, 0] {
            ledger.client_sends = throttle(&ledger, &settings, at(second))
                .unwrap()
                .client_sends
                .unwrap();
        }
        let refused = throttle(&ledger, &settings, at(30)).unwrap_err();
        assert_eq!(refused.retry_after().unwrap().as_secs(), 31);
        assert!(throttle(&ledger, &settings, at(61)).is_ok());
        assert_eq!(
            throttle(&ledger, &Settings::default(), at(30))
                .unwrap()
                .client_sends,
            None
        );
    }

    #[test]
    fn a_budget_frees_when_its_oldest_guess_is_a_day_old() {
        let settings = Settings {
            guess_budget: 5,
            ..Settings::default()
        };
        let guesses = History::new((0..5).map(at).collect());
        assert_eq!(
            budget_spent(&guesses, &settings, at(100)),
            Some(Duration::from_secs(86_300))
        );
        assert_eq!(budget_spent(&guesses, &settings, at(86_400)), None);
    }
}
