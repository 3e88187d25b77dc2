//! Ends connections that are idle, slow or no longer wanted.
//!
//! A task beside each connection watches its counters, so that the connection itself polls no
//! timer and no shared lock when it is woken for a request.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval, sleep},
};

use super::{
    Limits,
    activity::Activity,
    crowd::Crowd,
    drain::{Drain, Phase},
};

/// What a connection is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Close once the answers in flight are out: GOAWAY, or no more keep-alive.
    Goodbye,
    /// Close now, whatever is in flight.
    Cut,
}

/// Watches a connection until its end of the channel is dropped.
pub(super) fn supervise(
    limits: Limits,
    drain: Drain,
    crowd: Arc<Crowd>,
    activity: Arc<Activity>,
) -> mpsc::Receiver<Order> {
    let (orders, taken) = mpsc::channel(2);
    tokio::spawn(async move {
        let watch = async {
            tokio::select! {
                () = async {
                    goodbye(&limits, &drain, &crowd, &activity).await;
                    let _ = orders.send(Order::Goodbye).await;
                    sleep(limits.goodbye_timeout).await;
                } => {}
                () = overdue(&limits, &activity) => {}
                () = stuck(&limits, &activity) => {}
            }
            let _ = orders.send(Order::Cut).await;
        };
        tokio::select! {
            () = watch => {}
            () = orders.closed() => {}
        }
    });
    taken
}

/// Returns when the connection should say goodbye.
///
/// While the process is leaving, HTTP/2 is sent away at once, HTTP/1 with its next answer, or when the
/// listener closes.
async fn goodbye(limits: &Limits, drain: &Drain, crowd: &Crowd, activity: &Activity) {
    tokio::select! {
        () = idle(limits, activity) => {}
        () = crowd.is_asked(activity) => {}
        () = drain.reached(Phase::Closed) => {}
        () = http2_is_leaving(drain, activity) => {}
    }
}

/// Who comes only while the process is leaving has been sent away before and stays until the listener closes:
/// a call that a GOAWAY caught on its way is made once more, and must not meet the next.
async fn http2_is_leaving(drain: &Drain, activity: &Activity) {
    if drain.is_leaving() {
        return std::future::pending().await;
    }
    drain.reached(Phase::Leaving).await;
    let mut look = ticks(Duration::from_millis(100));
    while !(activity.is_http2() && activity.begun() > 0) {
        look.tick().await;
    }
}

/// Returns when no request has come for the idle time. Pings do not count: the vendor's policy
/// lets clients send them on idle connections, and ends those all the same (contract §2).
async fn idle(limits: &Limits, activity: &Activity) {
    let mut tick = ticks(limits.idle_timeout / IDLE_TICKS);
    let (mut seen, mut quiet) = (activity.begun(), 0);
    while quiet < IDLE_TICKS {
        tick.tick().await;
        let begun = activity.begun();
        let still = begun == seen && !activity.is_busy();
        quiet = if still { quiet + 1 } else { 0 };
        seen = begun;
    }
}

/// Returns when a peer has owed the rest of its greeting or of a request head for too long.
async fn overdue(limits: &Limits, activity: &Activity) {
    let mut tick = ticks(limits.head_timeout);
    let mut owed = None;
    loop {
        tick.tick().await;
        let now = activity
            .owes_a_head()
            .then(|| (activity.begun(), activity.written()));
        if now.is_some() && now == owed {
            return;
        }
        owed = now;
    }
}

/// Returns when a peer has taken nothing of what is to be written for too long.
async fn stuck(limits: &Limits, activity: &Activity) {
    let mut tick = ticks(limits.write_timeout);
    let mut pending = None;
    loop {
        tick.tick().await;
        let now = activity.is_stuck().then(|| activity.written());
        if now.is_some() && now == pending {
            return;
        }
        pending = now;
    }
}

const IDLE_TICKS: u32 = 5;

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection over which a call of HTTP/2 has come.
    fn connected(drain: &Drain) -> mpsc::Receiver<Order> {
        let (activity, crowd) = (Arc::new(Activity::default()), Arc::new(Crowd::new(9)));
        activity.note_read(b"PRI * HTTP/2.0");
        drop(activity.begin());
        supervise(Limits::default(), drain.clone(), crowd, activity)
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_sent_away_at_once_and_who_comes_after_that_when_the_listener_closes() {
        let drain = Drain::new();
        let mut here = connected(&drain);
        let leaving = drain.clone();
        tokio::spawn(async move { leaving.leave(Drain::GOODBYE).await });
        drain.reached(Phase::Leaving).await;
        let mut late = connected(&drain);
        assert_eq!(here.recv().await, Some(Order::Goodbye));
        assert_eq!(drain.phase(), Phase::Leaving);
        assert_eq!(late.recv().await, Some(Order::Goodbye));
        assert_eq!(drain.phase(), Phase::Closed);
    }
}
