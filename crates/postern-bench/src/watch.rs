//! Durations, and names that no earlier run has used.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The moment from which a span is measured.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring durations is this program's purpose"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Differs from run to run, so that no address meets the quota of an earlier run.
#[expect(
    clippy::disallowed_methods,
    reason = "a name for the run, not a time that anything is judged by"
)]
pub(crate) fn run_tag() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}{:x}", since.as_millis(), std::process::id())
}
