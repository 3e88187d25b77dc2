use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::pace::{Gate, Whose};

/// A bounded line of work for one thread, which takes what has gathered in one go.
///
/// A lock and a condition, and not a channel: the worker pays one lock for a whole group, and a caller
/// pays for waking it only when it sleeps.
pub(super) struct Queue<T> {
    line: Mutex<Line<T>>,
    came: Condvar,
    gate: Gate,
}

struct Line<T> {
    waiting: VecDeque<T>,
    asleep: bool,
    closed: bool,
}

impl<T> Queue<T> {
    /// A line in which at most `bound` wait.
    pub(super) fn new(bound: usize) -> Self {
        let line = Line {
            waiting: VecDeque::with_capacity(bound.min(1024)),
            asleep: false,
            closed: false,
        };
        Self {
            line: Mutex::new(line),
            came: Condvar::new(),
            gate: Gate::new(bound),
        }
    }

    /// Whether `item` was accepted: not when the line is closed, or too long for whose it is.
    pub(super) fn push(&self, item: T, whose: Whose) -> bool {
        let mut line = self.lock();
        if line.closed || !self.gate.admits(line.waiting.len(), whose) {
            return false;
        }
        line.waiting.push_back(item);
        let wake = std::mem::take(&mut line.asleep);
        drop(line);
        if wake {
            self.came.notify_one();
        }
        true
    }

    /// Waits for work and moves up to `most` items into `out`; `false` once the line is closed and empty.
    pub(super) fn take(&self, out: &mut Vec<T>, most: usize) -> bool {
        let mut line = self.lock();
        while line.waiting.is_empty() {
            if line.closed {
                return false;
            }
            line.asleep = true;
            line = self.came.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.asleep = false;
        }
        let count = line.waiting.len().min(most);
        out.extend(line.waiting.drain(..count));
        true
    }

    /// Refuses what comes from now on; what was accepted is still taken.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.came.notify_all();
    }

    /// Refuses what comes from now on and drops what waits.
    pub(super) fn abandon(&self) {
        let waiting = {
            let mut line = self.lock();
            line.closed = true;
            std::mem::take(&mut line.waiting)
        };
        drop(waiting);
        self.came.notify_all();
    }

    /// Lets callers in while fewer than `room` wait.
    pub(super) fn allow(&self, room: usize) {
        self.gate.allow(room);
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Whether new work is refused for good.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn lock(&self) -> MutexGuard<'_, Line<T>> {
        // Nothing that can panic runs under the lock.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_its_bound_the_line_refuses_at_once() {
        let queue = Queue::new(2);
        assert_eq!(
            [1, 2, 3].map(|n| queue.push(n, Whose::House)),
            [true, true, false]
        );
        let mut out = Vec::new();
        assert!(queue.take(&mut out, 1));
        assert!(queue.push(4, Whose::House));
        assert!(queue.take(&mut out, 9));
        assert_eq!(out, [1, 2, 4]);
    }

    #[test]
    fn a_closed_line_gives_out_what_it_accepted_and_then_ends() {
        let queue = Queue::new(2);
        queue.push(1, Whose::House);
        queue.close();
        assert!(!queue.push(2, Whose::House));
        let mut out = Vec::new();
        assert!(queue.take(&mut out, 9));
        assert!(!queue.take(&mut out, 9));
        assert_eq!(out, [1]);
    }

    #[test]
    fn a_sleeping_worker_wakes_for_work_and_for_the_end() {
        let queue = Queue::new(1);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let (mut out, mut all) = (Vec::new(), 0);
                while queue.take(&mut out, 1) {
                    all += out.drain(..).sum::<i32>();
                }
                all
            });
            for n in [1, 2, 3] {
                while !queue.push(n, Whose::House) {
                    std::thread::yield_now();
                }
            }
            queue.close();
            assert_eq!(worker.join().unwrap(), 6);
        });
    }
}
