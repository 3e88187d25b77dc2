//! How many may wait for a writer, judged by how fast it was of late.
//!
//! A line bounded by its length alone is minutes long when the disk is slow. What would wait too long
//! is refused at once instead: its caller is told that nothing was done, and can try again elsewhere.

use std::time::{Duration, Instant};

/// How long the work that waits may take. An act waits for a group under way, for what is ahead of
/// it, and for their commits.
const PATIENCE: Duration = Duration::from_millis(80);

/// How long the work of one group may take: what comes in meanwhile waits for all of it.
const AT_A_TIME: Duration = Duration::from_millis(20);

/// A group this small is worth a commit, and taken before any pace is known.
const FEWEST: usize = 16;

/// A line this short is never refused, whatever the pace.
const ALWAYS: usize = 64;

/// Smaller groups tell nothing of what a writer can do: what a group costs by itself outweighs its acts.
const TELLING: usize = 8;

/// One part in so many of what is known is replaced by what a group tells.
const MEMORY: u64 = 4;

/// What some writers that share a line have done of late.
#[derive(Debug)]
pub(crate) struct Pace {
    writers: usize,
    group: usize,
    /// Of groups of any size, until the others are known.
    first: Rate,
    work: Rate,
    whole: Rate,
}

/// What became of a span of a writer's time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// Acts that were answered.
    pub(crate) acts: usize,
    /// For what grows with their number: all but the commits.
    pub(crate) work: Duration,
    /// From taking them up to being free for the next.
    pub(crate) whole: Duration,
}

impl Pace {
    /// Of `writers` that take up to `group` acts at a time. Nothing is known yet.
    pub(crate) fn new(writers: usize, group: usize) -> Self {
        Self {
            writers: writers.max(1),
            group,
            first: Rate::default(),
            work: Rate::default(),
            whole: Rate::default(),
        }
    }

    /// Takes in what one group told.
    pub(crate) fn note(&mut self, spent: Spent) {
        self.first.note(spent.acts, spent.work);
        if spent.acts >= TELLING {
            self.work.note(spent.acts, spent.work);
            self.whole.note(spent.acts, spent.whole);
        }
    }

    /// How many acts the next group may have.
    ///
    /// A commit is shared by a group and does not count, however slow it is. Small groups, which let acts
    /// look slower than they are, are believed until there was a larger one.
    pub(crate) fn group(&self) -> usize {
        let most = self.work.within(AT_A_TIME);
        let most = most.or_else(|| self.first.within(AT_A_TIME)).unwrap_or(0);
        most.clamp(FEWEST.min(self.group), self.group)
    }

    /// How many may wait.
    ///
    /// Acts that are slow by themselves fill [`PATIENCE`], however many writers there are, for they work
    /// in turns. A commit that is slow is shared by a group, so that refusing part of one would win
    /// nothing: only further groups are refused for it.
    pub(crate) fn room(&self) -> usize {
        let work = self.work.within(PATIENCE).unwrap_or(usize::MAX);
        let whole = self.whole.within(PATIENCE).unwrap_or(usize::MAX);
        let whole = whole.max(self.group).saturating_mul(self.writers);
        work.min(whole).max(ALWAYS)
    }
}

/// Acts and their time, the older ones counting less and less.
#[derive(Debug, Default)]
struct Rate {
    milliacts: u64,
    nanos: u64,
}

impl Rate {
    fn note(&mut self, acts: usize, took: Duration) {
        let acts = u64::try_from(acts).unwrap_or(u64::MAX);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.milliacts = mixed(self.milliacts, acts.saturating_mul(1000));
        self.nanos = mixed(self.nanos, nanos);
    }

    /// How many acts fit into `span`; `None` when nothing is known.
    fn within(&self, span: Duration) -> Option<usize> {
        let milliacts = u128::from(self.milliacts) * span.as_nanos();
        let acts = milliacts.checked_div(u128::from(self.nanos) * 1000)?;
        Some(usize::try_from(acts).unwrap_or(usize::MAX))
    }
}

fn mixed(known: u64, told: u64) -> u64 {
    (known - known / MEMORY).saturating_add(told / MEMORY)
}

/// Whose act it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// An application's that waits for an answer and can be told to try again.
    Caller,
    /// Our own: it follows from what was answered before, or keeps the house.
    House,
}

/// Measures what a writer spends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch(Instant);

impl Watch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a span is measured, no rule reads it as a time"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The room after `times` groups of `acts` that took so long each, commits apart.
    fn room(writers: usize, times: usize, acts: usize, work: Duration, commit: Duration) -> usize {
        let mut pace = Pace::new(writers, 256);
        for _ in 0..times {
            let whole = work + commit;
            pace.note(Spent { acts, work, whole });
        }
        pace.room()
    }

    #[test]
    fn without_experience_only_the_lines_own_bound_holds() {
        let pace = Pace::new(1, 256);
        assert_eq!((pace.room(), pace.group()), (usize::MAX, FEWEST));
        assert_eq!(room(1, 9, TELLING - 1, 900 * MS, MS), usize::MAX);
    }

    #[test]
    fn at_a_thousand_acts_a_second_as_many_wait_as_are_done_in_80_ms() {
        for acts in [10, 80, 256] {
            let work = MS * u32::try_from(acts).unwrap();
            assert_eq!(room(1, 20, acts, work, MS), 80);
            assert_eq!(room(2, 20, acts, work, MS), 80);
        }
    }

    #[test]
    fn a_group_has_no_more_acts_than_are_done_in_20_ms() {
        let group = |most, acts: u32, work, whole| {
            let mut pace = Pace::new(1, most);
            let acts = acts as usize;
            pace.note(Spent { acts, work, whole });
            pace.group()
        };
        assert_eq!(group(256, 80, 80 * MS, 80 * MS), 20, "1,000 a second");
        assert_eq!(group(256, 80, 800 * MS, 800 * MS), FEWEST, "100 a second");
        assert_eq!(group(4, 80, 800 * MS, 800 * MS), 4, "as it is set");
        assert_eq!(group(256, 80, MS, MS), 256, "80,000 a second");
        assert_eq!(group(256, 80, MS, 500 * MS), 256, "a slow commit");
        assert_eq!(group(256, 1, MS / 5, MS), 100, "a small group that was all");
    }

    #[test]
    fn a_slow_commit_refuses_no_part_of_the_next_group() {
        assert_eq!(room(1, 20, 20, MS, 150 * MS), 256);
        assert_eq!(room(2, 20, 20, MS, 150 * MS), 512);
    }

    #[test]
    fn a_quick_writer_lets_many_groups_wait() {
        assert_eq!(room(1, 20, 200, 10 * MS, 10 * MS), 800);
    }

    #[test]
    fn a_short_line_is_never_refused() {
        assert_eq!(room(1, 20, 8, 8000 * MS, MS), ALWAYS);
    }

    #[test]
    fn a_pace_that_recovered_is_believed_within_some_groups() {
        let mut pace = Pace::new(1, 256);
        for (acts, work) in [(80, 80 * MS); 20].into_iter().chain([(80, 4 * MS); 20]) {
            let whole = work;
            pace.note(Spent { acts, work, whole });
        }
        assert!(pace.room() > 1000, "{}", pace.room());
    }
}
