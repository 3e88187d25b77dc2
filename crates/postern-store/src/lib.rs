//! How Postern keeps its state: each method of the ports is one atomic act, durable when answered.
//!
//! [`connect()`] is the only place that knows which engines there are. [`DataDir`] holds the folder of
//! an embedded store for one process.
#![warn(missing_docs)]

pub mod backup;
mod connect;
#[cfg(feature = "testing")]
#[expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, for any engine to be put through"
)]
pub mod contract;
pub mod copy;
mod data_dir;
mod fence;
pub mod inbox;
mod line;
mod pace;
mod patience;
mod postgres;
mod progress;
mod rollup;
mod rows;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

pub use connect::{Checkpoints, ConnectError, PostgresTuning, Tuning, connect, migrate};
pub use data_dir::{DataDir, DataDirError, store_file};
pub use fence::{Fence, FenceKind};
pub use patience::Patience;
pub use progress::{Progress, Watcher};
pub use rows::Tally;
