use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::line::Line;
use crate::pace::Whose;

/// A bounded line of work for one thread, which takes what has gathered in one go.
///
/// A lock and a condition, and not a channel: the worker pays one lock for a whole group, and a caller
/// pays for waking it only when it sleeps.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    came: Condvar,
}

struct State<T> {
    line: Line<T>,
    asleep: bool,
}

impl<T> Queue<T> {
    /// A line in which at most `bound` wait.
    pub(super) fn new(bound: usize) -> Self {
        let state = State {
            line: Line::new(bound),
            asleep: false,
        };
        Self {
            state: Mutex::new(state),
            came: Condvar::new(),
        }
    }

    /// Whether `item` was accepted: not when the line is closed, or too long for whose it is.
    pub(super) fn push(&self, item: T, whose: Whose) -> bool {
        let mut state = self.lock();
        if !state.line.push(item, whose) {
            return false;
        }
        let wake = std::mem::take(&mut state.asleep);
        drop(state);
        if wake {
            self.came.notify_one();
        }
        true
    }

    /// Waits for work and moves up to `most` items into `out`; `false` once the line is closed and empty.
    pub(super) fn take(&self, out: &mut Vec<T>, most: usize) -> bool {
        let mut state = self.lock();
        while state.line.is_empty() {
            if state.line.is_closed() {
                return false;
            }
            state.asleep = true;
            let woken = self.came.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.asleep = false;
        }
        state.line.take(out, most);
        true
    }

    /// Refuses what comes from now on; what was accepted is still taken.
    pub(super) fn close(&self) {
        self.lock().line.close();
        self.came.notify_all();
    }

    /// Refuses what comes from now on and drops what waits.
    pub(super) fn abandon(&self) {
        let waiting = self.lock().line.abandon();
        drop(waiting);
        self.came.notify_all();
    }

    /// As [`Line::allow`].
    #[must_use = "what nobody answers waits for ever"]
    pub(super) fn allow(&self, room: usize) -> Vec<T> {
        self.lock().line.allow(room)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.lock().line.len()
    }

    /// Whether new work is refused for good.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().line.is_closed()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
