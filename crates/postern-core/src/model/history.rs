use std::time::Duration;

use super::Timestamp;

/// The moments of something that is limited, oldest first: mails to an address, or wrong codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(Vec<Timestamp>);

impl History {
    /// A history of these moments, sorted here.
    pub fn new(mut times: Vec<Timestamp>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The moments, oldest first.
    pub fn times(&self) -> &[Timestamp] {
        &self.0
    }

    /// How many moments lie after `now - span`; those of a clock ahead of ours count too.
    pub fn count_within(&self, span: Duration, now: Timestamp) -> usize {
        let start = now.minus(span);
        self.0.len() - self.0.partition_point(|at| *at <= start)
    }

    /// Adds `now`, never before the newest moment, and forgets what is older than `keep`.
    #[must_use]
    pub fn with(&self, now: Timestamp, keep: Duration) -> Self {
        let start = now.minus(keep);
        let mut times: Vec<_> = self.0.iter().copied().filter(|at| *at > start).collect();
        times.push(times.last().map_or(now, |last| now.max(*last)));
        Self(times)
    }

    /// The stored form: 8 bytes a moment, little-endian microseconds.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|at| at.micros().to_le_bytes())
            .collect()
    }

    /// Reads the stored form; a torn last entry is dropped.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (entries, _) = bytes.as_chunks::<8>();
        Self::new(
            entries
                .iter()
                .map(|entry| Timestamp::from_micros(i64::from_le_bytes(*entry)))
                .collect(),
        )
    }
}

/// How often something happened in each of the last 60 seconds: a limit too large to keep every
/// moment of. A second that is only partly inside the window counts in full, so the limit holds in
/// every window of 60 s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecondBuckets(Vec<(i64, u32)>);

impl SecondBuckets {
    const SECONDS: i64 = 60;

    /// How often it happened in the 60 s before `now`.
    pub fn total(&self, now: Timestamp) -> u64 {
        let first = now.unix_seconds() - Self::SECONDS;
        self.0
            .iter()
            .filter(|(second, _)| *second >= first)
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// When the oldest counted second leaves the window.
    pub fn frees_at(&self, now: Timestamp) -> Timestamp {
        let first = now.unix_seconds() - Self::SECONDS;
        let oldest = self
            .0
            .iter()
            .map(|(second, _)| *second)
            .find(|second| *second >= first);
        Timestamp::from_unix_seconds(oldest.unwrap_or(now.unix_seconds()) + Self::SECONDS + 1)
    }

    /// Counts one more at `now`.
    #[must_use]
    pub fn with(&self, now: Timestamp) -> Self {
        let second = now.unix_seconds();
        let mut buckets: Vec<_> = self
            .0
            .iter()
            .copied()
            .filter(|(at, _)| *at >= second - Self::SECONDS)
            .collect();
        match buckets.last_mut() {
            Some((last, count)) if *last >= second => *count = count.saturating_add(1),
            _ => buckets.push((second, 1)),
        }
        Self(buckets)
    }

    /// The stored form: 12 bytes a second.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|(at, count)| at.to_le_bytes().into_iter().chain(count.to_le_bytes()))
            .collect()
    }

    /// Reads the stored form; a torn last entry is dropped.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (entries, _) = bytes.as_chunks::<12>();
        Self(
            entries
                .iter()
                .map(|entry| {
                    let (at, count) = entry.split_at(8);
                    (
                        i64::from_le_bytes(at.try_into().expect("8 of 12 bytes")),
                        u32::from_le_bytes(count.try_into().expect("4 of 12 bytes")),
                    )
                })
                .collect(),
        )
    }
}
