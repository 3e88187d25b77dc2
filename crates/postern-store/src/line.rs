//! A bounded line of what waits for a worker.

use std::collections::VecDeque;

use crate::pace::Whose;

/// What waits, first come first served. A part of it is kept for what must not be refused because of
/// callers: how their mails ended, what admins change.
#[derive(Debug)]
pub(crate) struct Line<T> {
    waiting: VecDeque<(Whose, T)>,
    bound: usize,
    /// How many may wait before callers are refused.
    room: usize,
    closed: bool,
}

impl<T> Line<T> {
    /// A line in which at most `bound` wait, at least one. Nothing is known yet of its worker's pace.
    pub(crate) fn new(bound: usize) -> Self {
        let bound = bound.max(1);
        Self {
            waiting: VecDeque::with_capacity(bound.min(1024)),
            bound,
            room: usize::MAX,
            closed: false,
        }
    }

    /// Whether `item` was accepted: not when the line is closed, or too long for whose it is.
    pub(crate) fn push(&mut self, item: T, whose: Whose) -> bool {
        let most = match whose {
            Whose::House => self.bound,
            Whose::Caller => (self.bound - self.bound / 8).min(self.room),
        };
        let accepted = !self.closed && self.waiting.len() < most;
        if accepted {
            self.waiting.push_back((whose, item));
        }
        accepted
    }

    /// Moves up to `most` items into `out`.
    pub(crate) fn take(&mut self, out: &mut Vec<T>, most: usize) {
        let count = self.waiting.len().min(most);
        out.extend(self.waiting.drain(..count).map(|(_, item)| item));
    }

    /// Lets callers in while fewer than `room` wait. Gives back those who came when more were let in
    /// and now stand more than twice as far behind: they are to be refused as well.
    #[must_use = "what nobody answers waits for ever"]
    pub(crate) fn allow(&mut self, room: usize) -> Vec<T> {
        self.room = room;
        let most = room.saturating_mul(2);
        if self.waiting.len() <= most {
            return Vec::new();
        }
        let behind = self.waiting.split_off(most);
        let (late, kept): (Vec<_>, Vec<_>) = behind
            .into_iter()
            .partition(|(whose, _)| *whose == Whose::Caller);
        self.waiting.extend(kept);
        late.into_iter().map(|(_, item)| item).collect()
    }

    /// Refuses what comes from now on; what was accepted can still be taken.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// The same, and takes out what waits.
    pub(crate) fn abandon(&mut self) -> VecDeque<(Whose, T)> {
        self.close();
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many are let in.
    fn joined(line: &mut Line<usize>, whose: Whose) -> usize {
        (0..1000).filter(|n| line.push(*n, whose)).count()
    }

    #[test]
    fn callers_are_refused_before_the_house_is() {
        let mut line = Line::new(400);
        assert_eq!(joined(&mut line, Whose::Caller), 350);
        assert_eq!(joined(&mut line, Whose::House), 50);
        let mut line = Line::new(400);
        assert!(line.allow(80).is_empty());
        assert_eq!(joined(&mut line, Whose::Caller), 80);
        assert_eq!(joined(&mut line, Whose::House), 320);
    }

    #[test]
    fn who_stands_twice_too_far_behind_when_the_pace_is_known_is_refused_and_the_house_is_not() {
        let mut line = Line::new(100);
        for n in 0..12 {
            let whose = if n % 3 == 0 {
                Whose::House
            } else {
                Whose::Caller
            };
            assert!(line.push(n, whose));
        }
        assert_eq!(line.allow(3), [7, 8, 10, 11]);
        let mut out = Vec::new();
        line.take(&mut out, 100);
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6, 9]);
    }

    #[test]
    fn whoever_waits_within_twice_the_room_stays() {
        let mut line = Line::new(100);
        assert!((0..6).all(|n| line.push(n, Whose::Caller)));
        assert!(line.allow(3).is_empty());
        assert!(line.allow(usize::MAX).is_empty());
        assert_eq!(line.len(), 6);
    }

    #[test]
    fn a_closed_line_takes_nothing_in_and_keeps_what_it_has() {
        let mut line = Line::new(9);
        assert!(line.push(1, Whose::House));
        line.close();
        assert!(line.is_closed() && !line.push(2, Whose::House));
        assert_eq!(line.len(), 1);
    }
}
