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

#[cfg(test)]
mod tests {
    use arc_swap::ArcSwap;
    use postern_core::flow::Parts;
    use postern_core::keyring::{Keyring, RootSecret};
    use postern_core::model::{Counter, DomainList, Snapshot, Tally};
    use postern_core::ports::{Clock as _, LogQuery};
    use postern_store::contract::initiated;
    use postern_store::testing::{SeededEntropy, TempStore, temp_store};
    use tokio::time::{Instant, advance};

    use super::*;
    use crate::mail::Templates;
    use crate::standstill::Standstill;

    /// How far the log may be behind, as docs/architecture.md promises.
    const BEHIND: Duration = Duration::from_secs(2);
    /// More than four acts take in.
    const MANY: u16 = 2100;

    fn postern(store: &TempStore) -> Arc<Postern> {
        let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
        Arc::new(Postern::new(Parts {
            store: Arc::clone(&store.engine),
            clock: Arc::clone(&store.clock) as _,
            entropy: Arc::new(SeededEntropy::new(1)),
            templates: Arc::new(Templates::built_in()),
            keyring: Arc::new(ArcSwap::from_pointee(keyring)),
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            disposable: Arc::new(ArcSwap::from_pointee(DomainList::bundled())),
            inbox: true,
        }))
    }

    async fn happens(store: &TempStore, numbers: std::ops::Range<u16>) {
        let at = store.clock.now();
        store
            .engine
            .record(numbers.map(|n| initiated(at, n)).collect())
            .await
            .unwrap();
    }

    /// Waits until the log and its counts hold so many.
    async fn taken_in(store: &TempStore, count: u16) {
        let (count, now) = (u64::from(count), store.clock.now());
        let query = || LogQuery {
            limit: 1,
            ..LogQuery::default()
        };
        let looking = async { while store.engine.log(query()).await.unwrap().total < count {} };
        let looked = tokio::time::timeout(Duration::from_hours(1), looking).await;
        assert!(looked.is_ok(), "the log never held all {count}");
        let until = now.plus(Duration::from_mins(1));
        let spans = store.engine.tallies(now, until, 1).await.unwrap();
        let requests = |(_, tally): &(_, Tally)| tally.get(Counter::Requests);
        assert_eq!(spans.iter().map(requests).sum::<u64>(), count);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "it is the paused time")]
    async fn whatever_happened_is_in_the_log_and_its_counts_within_two_seconds() {
        let _still = Standstill::begin();
        let store = temp_store().await;
        happens(&store, 0..1).await;
        let following = tokio::spawn(project(postern(&store)));
        taken_in(&store, 1).await;
        happens(&store, 1..MANY).await;
        let happened = Instant::now();
        advance(BEHIND).await;
        taken_in(&store, MANY).await;
        assert!(happened.elapsed() <= BEHIND, "{:?}", happened.elapsed());
        following.abort();
    }
}
