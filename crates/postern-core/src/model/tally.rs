use std::time::Duration;

use super::EventKind;

/// What is counted in each minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Sends that were accepted.
    Requests,
    /// Resends that were accepted.
    Resends,
    /// Mails that a provider took.
    Sent,
    /// Attempts at a mail that failed and are repeated.
    Deferred,
    /// Mails whose recipient was refused.
    Bounced,
    /// Mails that could not be sent in time.
    Failed,
    /// Mails that were not sent because their credential was spent.
    Abandoned,
    /// Proofs that were accepted.
    Verified,
    /// Wrong codes that were counted.
    WrongCodes,
    /// Requests that the last wrong code ended.
    Locked,
    /// Requests that ended unused.
    Expired,
    /// Calls that a limit refused.
    Throttled,
    /// Mails that the recipient's server took, as a provider told.
    Delivered = 21,
    /// Mails that the person called spam, as a provider told.
    Complained,
}

impl Counter {
    /// Those that are stored before [`Tally::WITHIN`].
    const COUNT: usize = 12;
    /// Those that came later, and are stored after it.
    const NEWER: usize = 2;
}

const _: () = assert!(Counter::Delivered as usize == Tally::NEWER);

/// Counts of one span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; Tally::PLACES]);

impl Tally {
    /// From sending to the proof: the upper ends of the spans that are counted apart; what took
    /// longer is counted after them.
    pub const WITHIN: [Duration; 8] = [
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(20),
        Duration::from_secs(30),
        Duration::from_mins(1),
        Duration::from_mins(2),
        Duration::from_mins(5),
        Duration::from_mins(10),
    ];

    const NEWER: usize = Counter::COUNT + Self::WITHIN.len() + 1;
    const PLACES: usize = Self::NEWER + Counter::NEWER;

    /// How often it happened.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }

    /// How many proofs came within each span of [`Self::WITHIN`], and after the last.
    pub fn verified_within(&self) -> &[u64] {
        &self.0[Counter::COUNT..Self::NEWER]
    }

    /// Counts one event; `open` is for how long its request had been open, where that is known.
    pub fn count(&mut self, what: &EventKind, open: Option<Duration>) {
        let Some(counter) = counter_of(what) else {
            return;
        };
        let times = if let EventKind::Throttled { count, .. } = what {
            *count
        } else {
            1
        };
        self.add_to(counter as usize, times);
        if let (Counter::Verified, Some(open)) = (counter, open) {
            let place = Self::WITHIN.partition_point(|end| *end < open);
            self.add_to(Counter::COUNT + place, 1);
        }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (place, count) in other.0.iter().enumerate() {
            self.add_to(place, *count);
        }
    }

    /// The stored form: 8 bytes a count, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|count| count.to_le_bytes())
            .collect()
    }

    /// Reads the stored form; counts that it lacks are 0.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (counts, _) = bytes.as_chunks::<8>();
        let mut tally = Self::default();
        for (place, count) in tally.0.iter_mut().zip(counts) {
            *place = u64::from_le_bytes(*count);
        }
        tally
    }

    fn add_to(&mut self, place: usize, times: u64) {
        self.0[place] = self.0[place].saturating_add(times);
    }
}

fn counter_of(what: &EventKind) -> Option<Counter> {
    Some(match what.name() {
        "initiated" => Counter::Requests,
        "resent" => Counter::Resends,
        "mail_sent" => Counter::Sent,
        "mail_deferred" => Counter::Deferred,
        "mail_failed" if matches!(what, EventKind::MailFailed { bounced: true, .. }) => {
            Counter::Bounced
        }
        "mail_bounced" => Counter::Bounced,
        "mail_failed" => Counter::Failed,
        "mail_abandoned" => Counter::Abandoned,
        "verified" => Counter::Verified,
        "wrong_code" => Counter::WrongCodes,
        "locked" => Counter::Locked,
        "expired" => Counter::Expired,
        "throttled" => Counter::Throttled,
        "mail_delivered" => Counter::Delivered,
        "mail_complained" => Counter::Complained,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UsedBy;

    #[test]
    fn a_tally_reads_back_and_adds_up() {
        let mut tally = Tally::default();
        let verified = EventKind::Verified { by: UsedBy::Link };
        tally.count(&verified, Some(Duration::from_secs(5)));
        tally.count(&verified, Some(Duration::from_secs(6)));
        tally.count(&verified, Some(Duration::from_hours(1)));
        let throttled = EventKind::Throttled {
            what: "mails".into(),
            count: 7,
        };
        tally.count(&throttled, None);
        let provider = || "postmark".to_owned();
        tally.count(
            &EventKind::MailDelivered {
                delivery: 0,
                provider: provider(),
            },
            None,
        );
        tally.count(
            &EventKind::MailComplained {
                delivery: 0,
                provider: provider(),
            },
            None,
        );
        let mut twice = Tally::from_bytes(&tally.to_bytes());
        assert_eq!(twice, tally);
        twice.add(&tally);
        assert_eq!(twice.get(Counter::Verified), 6);
        assert_eq!(twice.get(Counter::Throttled), 14);
        assert_eq!(twice.get(Counter::Delivered), 2);
        assert_eq!(twice.get(Counter::Complained), 2);
        assert_eq!(twice.verified_within(), [2, 2, 0, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn a_tally_of_an_earlier_release_lacks_nothing_but_its_newer_counts() {
        let read = Tally::from_bytes(&[1, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(read.get(Counter::Requests), 1);
        assert_eq!(read.get(Counter::Resends), 0);
    }
}
