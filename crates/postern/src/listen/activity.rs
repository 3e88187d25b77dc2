//! What one connection has been doing: the supervisor reads it, the connection writes it.
//!
//! Counters instead of a timer for each request: the hot path pays two relaxed additions.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::Poll,
};

/// Counts what happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    read: AtomicU64,
    settled: AtomicU64,
    begun: AtomicU64,
    in_flight: AtomicU32,
    written: AtomicU64,
    stuck: AtomicBool,
    first: AtomicU8,
}

impl Activity {
    /// A request has arrived: its number, and a guard while it is in flight.
    pub(super) fn begin(self: &Arc<Self>) -> (u64, InFlight) {
        (self.begun.fetch_add(1, Relaxed), self.busy())
    }

    /// The peer waits for us until the guard is dropped.
    pub(super) fn busy(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(Arc::clone(self))
    }

    /// How many requests have arrived so far.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Relaxed)
    }

    /// Whether a request is being answered.
    pub(super) fn is_busy(&self) -> bool {
        self.in_flight.load(Relaxed) > 0
    }

    /// Whether the peer speaks HTTP/2: its preface begins with `PRI`, as no HTTP/1 method does.
    pub(super) fn is_http2(&self) -> bool {
        self.first.load(Relaxed) == HTTP2
    }

    /// Whether a peer owes us the rest of its greeting or of a head, or a new one its first byte.
    pub(super) fn owes_a_head(&self) -> bool {
        let read = self.read.load(Relaxed);
        if self.is_http2() {
            return self.begun() == 0 && read < GREETING;
        }
        let unsettled = read != self.settled.load(Relaxed);
        !self.is_busy() && (unsettled || self.begun() == 0)
    }

    /// Bytes that the peer's side has taken so far.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Whether there are bytes that the peer's side does not take.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.load(Relaxed)
    }

    /// A write was tried.
    pub(super) fn note_write(&self, tried: &Poll<io::Result<usize>>) {
        self.stuck.store(tried.is_pending(), Relaxed);
        if let Poll::Ready(Ok(written)) = tried {
            self.written.fetch_add(*written as u64, Relaxed);
        }
    }

    /// Bytes have come.
    pub(super) fn note_read(&self, fresh: &[u8]) {
        if self.first.load(Relaxed) == NOTHING {
            let preface = fresh.starts_with(b"PRI");
            self.first
                .store(if preface { HTTP2 } else { HTTP1 }, Relaxed);
        }
        self.read.fetch_add(fresh.len() as u64, Relaxed);
    }
}

const NOTHING: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;
/// Bytes of the shortest HTTP/2 greeting: preface, SETTINGS, and the acknowledgement of ours.
const GREETING: u64 = 24 + 9 + 9;

/// A request being answered.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.settled.store(self.0.read.load(Relaxed), Relaxed);
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}
