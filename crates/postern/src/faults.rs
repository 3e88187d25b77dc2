//! Faults to try a server with. Only builds with the feature `testing` have them.

use std::time::Duration;

use postern_store::testing::Drag;

/// Microseconds by which every act of the store is slower.
const SLOW_STORE: &str = "FAULT_SLOW_STORE_US";

/// How slow the store is made.
pub(crate) fn drag() -> Drag {
    let asked = std::env::var(SLOW_STORE).ok();
    let Some(each) = asked.and_then(|micros| micros.parse().ok()) else {
        return Drag::default();
    };
    tracing::warn!(micros = each, "the store is slow on purpose");
    Drag::of(Duration::from_micros(each))
}
