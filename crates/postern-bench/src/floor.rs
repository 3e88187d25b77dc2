//! What the work would cost by itself: one signature, one group commit.

pub(crate) mod commit;
pub(crate) mod sign;

use serde::{Deserialize, Serialize};

/// A bare piece of work, measured.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Bare {
    /// On all cores.
    pub(crate) per_second: f64,
    /// CPU time of one, in microseconds.
    pub(crate) cpu_us: f64,
}
