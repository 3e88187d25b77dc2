//! What happened, counted by the minute and by the hour.

use std::time::Duration;

use postern_core::model::{Counter, Tally, Timestamp};
use postern_core::ports::Clock as _;

use super::{initiated, send, use_up};
use crate::testing::TempStore;

const MINUTE: Duration = Duration::from_mins(1);

/// Spans of several minutes are sums of their minutes; an empty one is left out.
pub async fn minutes_add_up_to_what_happened(store: TempStore) {
    let begun = store.clock.now();
    let first = send(&store, 1, "ada").await;
    store.clock.advance(MINUTE);
    send(&store, 2, "bob").await;
    use_up(&store, first).await;
    store.clock.advance(5 * MINUTE);
    send(&store, 3, "eve").await;
    store.project().await;
    let now = store.clock.now();
    let spans = store.engine.tallies(begun, now, 1).await.unwrap();
    let told =
        |counter| -> Vec<u64> { spans.iter().map(|(_, tally)| tally.get(counter)).collect() };
    assert_eq!(
        told(Counter::Requests),
        [1, 1],
        "the end does not belong to it"
    );
    assert_eq!(told(Counter::Verified), [0, 1]);
    assert_eq!(spans[1].1.verified_within()[4], 1, "within a minute");
    let hour = store
        .engine
        .tallies(begun, now.plus(MINUTE), 60)
        .await
        .unwrap();
    assert_eq!((hour.len(), hour[0].1.get(Counter::Requests)), (1, 3));
}

/// However far an overview looks back, it tells what the minutes tell: where hours are counted, in the hours
/// before, of which only minutes are known, and in what comes late.
pub async fn hours_add_up_as_their_minutes_do(store: TempStore) {
    const HOUR: Duration = Duration::from_hours(1);
    let begun = store.clock.now();
    let at = |hours: u32, minutes: u32| begun.plus(HOUR * hours + MINUTE * minutes);
    let moments = [
        // The first that is counted, then earlier ones.
        at(30, 59),
        at(2, 0),
        at(29, 1),
        at(30, 0),
        // Later ones, one of them late.
        at(33, 7),
        at(31, 30),
        at(33, 8),
        at(54, 59),
    ];
    for (n, moment) in (0..).zip(moments) {
        store
            .engine
            .record(vec![initiated(moment, n)])
            .await
            .unwrap();
        store.project().await;
    }
    let ends = [
        (begun, at(60, 0)),
        (at(2, 0), at(33, 8)),
        (at(29, 30), at(54, 59)),
        (at(30, 30), at(31, 0)),
    ];
    for (from, to) in ends {
        let minutes = store.engine.tallies(from, to, 1).await.unwrap();
        for step in [60, 360, 1440] {
            let spans = store.engine.tallies(from, to, step).await.unwrap();
            let mut sums: Vec<(Timestamp, Tally)> = Vec::new();
            for (minute, tally) in &minutes {
                let length = i64::from(step) * 60_000_000;
                let whole = minute.micros().div_euclid(length) * length;
                let span = Timestamp::from_micros(whole);
                match sums.last_mut() {
                    Some((last, sum)) if *last == span => sum.add(tally),
                    _ => sums.push((span, tally.clone())),
                }
            }
            assert_eq!(spans, sums, "{from:?} to {to:?} by {step} minutes");
        }
    }
}
