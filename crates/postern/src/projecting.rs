//! The authentication log's follower: takes new events into the log, off the hot path.

use std::sync::Arc;
use std::time::Duration;

use postern_core::flow::Postern;
use postern_core::ports::StoreError;
use tokio::time::{MissedTickBehavior, interval};

/// How often it looks; half of how far the log may be behind.
const EVERY: Duration = Duration::from_secs(1);

/// Follows the events for ever. Runs until it is dropped.
pub async fn project(postern: Arc<Postern>) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = once(&postern).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the authentication log falls behind"
            );
        }
    }
}

async fn once(postern: &Postern) -> Result<(), StoreError> {
    while postern.store().project().await? {}
    Ok(())
}
