//! What an operator sees of a running server: logs and metrics.

pub mod labels;
pub mod logs;
pub mod metrics;
mod providers;
