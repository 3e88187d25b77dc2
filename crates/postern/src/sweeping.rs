//! The sweeper: tidies what is past its retention. Nothing waits for it.

use std::sync::Arc;
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::ports::{Keep, StoreError};
use tokio::time::sleep;

use crate::app::Stopwatch;

/// The shortest rest between two rounds.
const EVERY: Duration = Duration::from_secs(10);

/// How many times as long as a round it rests after it, so that looking at all that lives costs
/// little however much that is: of a million requests the last learns of its end two minutes late.
const RESTS: u32 = 9;

/// The longest rest.
const AT_LAST: Duration = Duration::from_mins(5);

/// Between two pieces of one sweep, so that calls go first.
const BREATH: Duration = Duration::from_millis(20);

/// Sweeps for ever. Runs until it is dropped.
pub async fn sweep(postern: Arc<Postern>) {
    loop {
        let round = Stopwatch::start();
        if let Err(error) = once(&postern).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sweeper was stopped for now"
            );
        }
        sleep(rest_after(round.elapsed())).await;
    }
}

fn rest_after(round: Duration) -> Duration {
    (round * RESTS).clamp(EVERY, AT_LAST)
}

async fn once(postern: &Postern) -> Result<(), StoreError> {
    loop {
        let (settings, now) = (postern.snapshot().settings.clone(), postern.now());
        let keep = Keep {
            requests_from: now.minus(settings.keep_requests),
            events_from: now.minus(settings.keep_events),
        };
        let swept = postern.store().sweep(keep).await?;
        if swept.removed > 0 {
            tracing::debug!(removed = swept.removed, expired = swept.expired, "swept");
        }
        if !swept.more {
            return Ok(());
        }
        sleep(BREATH).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_round_is_followed_by_a_long_rest() {
        let after = |seconds| rest_after(Duration::from_secs(seconds)).as_secs();
        assert_eq!([after(0), after(1), after(12)], [10, 10, 108]);
        assert_eq!(after(3600), 300);
    }
}
