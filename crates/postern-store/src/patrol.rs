//! Where a sweeper looks for requests that are over, and when.
//!
//! Requests lie in the order in which they were made, but live as long as each was given. So a run of
//! neighbours is looked at once, and then not before the first of them can be over: a million that
//! live cost nothing meanwhile. In memory: after a restart everything is looked at once more.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use postern_core::model::{AuthRequestId, Timestamp};

/// A request lives at most so long: a day of resends, and an hour of its last credential. At the
/// start nothing older can be waiting for its event.
const LIVES: Duration = Duration::from_hours(26);
/// Younger ones cannot be over, for the shortest life is a minute, and those that were made before
/// others may still become visible after them.
const YOUNG: Duration = Duration::from_secs(50);

/// Knows what was looked at, and when it has to be again.
pub(crate) struct Patrol(Mutex<Place>);

struct Place {
    /// Runs with requests that live, by their first one.
    runs: BTreeMap<AuthRequestId, Run>,
    /// Everything before this one was looked at.
    seen: AuthRequestId,
    /// Tells runs apart that begin with the same request.
    made: u64,
}

/// Neighbours that were looked at.
#[derive(Clone, Copy)]
struct Run {
    /// The first request after it.
    end: AuthRequestId,
    /// Before this moment none of them is over.
    due: Timestamp,
    made: u64,
}

/// What is to be looked at: the requests from `from` on that are before `end`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat {
    pub(crate) from: AuthRequestId,
    pub(crate) end: AuthRequestId,
    /// The run that it is, unless nobody looked there before.
    again: Option<u64>,
}

/// What a look found.
#[derive(Default)]
pub(crate) struct Found {
    /// Requests that are over and whose event is not written.
    pub(crate) expired: Vec<AuthRequestId>,
    /// When the first of those that live will be over.
    pub(crate) next: Option<Timestamp>,
    /// The last request that was looked at, when there may be more.
    pub(crate) last: Option<AuthRequestId>,
}

impl Found {
    /// Takes in a request that is open and has no event of its end.
    pub(crate) fn open(&mut self, id: AuthRequestId, expires_at: Timestamp, now: Timestamp) {
        if expires_at <= now {
            self.expired.push(id);
        } else {
            let next = self.next.unwrap_or(expires_at);
            self.next = Some(next.min(expires_at));
        }
    }
}

impl Patrol {
    /// One that has seen nothing.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self(Mutex::new(Place {
            runs: BTreeMap::new(),
            seen: AuthRequestId::floor(now.minus(LIVES)),
            made: 0,
        }))
    }

    /// Where to look next: at what is due again first, and then at what nobody has seen.
    pub(crate) fn beat(&self, now: Timestamp) -> Beat {
        let place = self.lock();
        let due = place.runs.iter().find(|(_, run)| run.due <= now);
        if let Some((from, run)) = due {
            return Beat {
                from: *from,
                end: run.end,
                again: Some(run.made),
            };
        }
        Beat {
            from: place.seen,
            end: place.seen.max(AuthRequestId::floor(now.minus(YOUNG))),
            again: None,
        }
    }

    /// Takes in what was found there, once its events are written; whether to look on at once.
    pub(crate) fn done(&self, beat: &Beat, found: &Found) -> bool {
        let mut place = self.lock();
        let end = found.last.map_or(beat.end, after);
        match beat.again {
            Some(made) => {
                // Another that began there meanwhile stays.
                let held = place.runs.get(&beat.from).map(|run| run.made);
                if held == Some(made) {
                    place.runs.remove(&beat.from);
                }
                if end < beat.end {
                    place.put(end, beat.end, Timestamp::from_micros(0));
                }
            }
            None => place.seen = place.seen.max(end),
        }
        if let Some(due) = found.next {
            place.put(beat.from, end, due);
        }
        beat.again.is_some() || found.last.is_some()
    }

    /// A request lives again.
    pub(crate) fn revive(&self, id: AuthRequestId) {
        let mut place = self.lock();
        if id < place.seen {
            place.put(id, after(id), Timestamp::from_micros(0));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn put(&mut self, from: AuthRequestId, end: AuthRequestId, due: Timestamp) {
        self.made += 1;
        let held = self.runs.get(&from);
        let run = Run {
            end: held.map_or(end, |held| held.end.max(end)),
            due: held.map_or(due, |held| held.due.min(due)),
            made: self.made,
        };
        self.runs.insert(from, run);
    }
}

fn after(id: AuthRequestId) -> AuthRequestId {
    let next = u128::from_be_bytes(*id.as_bytes()).saturating_add(1);
    AuthRequestId::from_bytes(next.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn at(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    /// Looks everywhere at once; answers what was over, and how many requests were looked at.
    fn round(
        patrol: &Patrol,
        rows: &[(u64, u64)],
        limit: usize,
        now: u64,
    ) -> (Vec<AuthRequestId>, usize) {
        let (mut over, mut looked) = (Vec::new(), 0);
        loop {
            let beat = patrol.beat(at(now));
            let mut found = Found::default();
            let ids = rows
                .iter()
                .map(|(made, lives)| (AuthRequestId::floor(at(*made)), made + lives));
            let there: Vec<_> = ids
                .filter(|(id, _)| *id >= beat.from && *id < beat.end)
                .take(limit)
                .collect();
            for (id, ends) in &there {
                found.open(*id, at(*ends), at(now));
            }
            found.last = (there.len() == limit).then(|| there[limit - 1].0);
            looked += there.len();
            over.extend(found.expired.iter().copied());
            if !patrol.done(&beat, &found) {
                return (over, looked);
            }
        }
    }

    #[test]
    fn what_lives_is_not_looked_at_again_before_it_can_be_over() {
        let patrol = Patrol::new(START);
        let rows: Vec<_> = (0..1000).map(|made| (made, 3600)).collect();
        assert_eq!(round(&patrol, &rows, 100, 2000).1, 1000);
        assert_eq!(round(&patrol, &rows, 100, 3599), (Vec::new(), 0));
        let (over, looked) = round(&patrol, &rows, 100, 3600);
        assert_eq!((over.len(), looked), (1, 100));
    }

    #[test]
    fn each_is_found_when_its_own_life_is_over() {
        let patrol = Patrol::new(START);
        let rows = [(0, 3600), (1, 60), (2, 600)];
        assert!(round(&patrol, &rows, 2, 60).0.is_empty());
        assert_eq!(
            round(&patrol, &rows, 2, 61).0,
            [AuthRequestId::floor(at(1))]
        );
        let rows = [rows[0], rows[2]];
        assert_eq!(
            round(&patrol, &rows, 2, 602).0,
            [AuthRequestId::floor(at(2))]
        );
        assert_eq!(
            round(&patrol, &rows[..1], 2, 3600).0,
            [AuthRequestId::floor(at(0))]
        );
    }

    #[test]
    fn the_youngest_are_left_for_later() {
        let patrol = Patrol::new(START);
        let rows = [(100, 60)];
        assert_eq!(round(&patrol, &rows, 9, 149).1, 0);
        assert_eq!(round(&patrol, &rows, 9, 151).1, 1);
    }

    #[test]
    fn one_that_lives_again_is_looked_at_again_alone() {
        let patrol = Patrol::new(START);
        let rows = [(0, 60), (1, 3600)];
        assert_eq!(round(&patrol, &rows, 9, 70).0.len(), 1);
        patrol.revive(AuthRequestId::floor(at(0)));
        let again = [(0, 200), (1, 3600)];
        assert_eq!(round(&patrol, &again[..1], 9, 70), (Vec::new(), 1));
        let (over, looked) = round(&patrol, &again, 9, 200);
        assert_eq!((over, looked), (vec![AuthRequestId::floor(at(0))], 1));
    }

    #[test]
    fn one_that_is_revived_while_it_is_looked_at_is_not_lost() {
        let patrol = Patrol::new(START);
        let id = AuthRequestId::floor(at(0));
        let rows = [(0, 60)];
        assert_eq!(round(&patrol, &rows, 9, 55).1, 1);
        let beat = patrol.beat(at(60));
        patrol.revive(id);
        patrol.done(&beat, &Found::default());
        assert_eq!(round(&patrol, &[(0, 120)], 9, 120).0, [id]);
    }
}
