//! The sweeper: tidies what is past its retention. Nothing waits for it.

use std::sync::Arc;
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::ports::{Keep, StoreError};
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks.
const EVERY: Duration = Duration::from_secs(10);

/// Between two pieces of one sweep, so that calls go first.
const BREATH: Duration = Duration::from_millis(20);

/// Sweeps for ever. Runs until it is dropped.
pub async fn sweep(postern: Arc<Postern>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = once(&postern).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the sweeper was stopped for now"
            );
        }
    }
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
        tokio::time::sleep(BREATH).await;
    }
}
