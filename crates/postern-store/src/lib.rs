//! How Postern keeps its state: each method of the ports is one atomic act, durable when answered.
//!
//! [`connect()`] is the only place that knows which engines there are. [`DataDir`] holds the folder of
//! an embedded store for one process.
#![warn(missing_docs)]

mod connect;
#[cfg(feature = "testing")]
#[expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, for any engine to be put through"
)]
pub mod contract;
mod data_dir;
pub mod inbox;
mod pace;
mod postgres;
mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

pub use connect::{Checkpoints, ConnectError, PostgresTuning, Tuning, connect, migrate};
pub use data_dir::{DataDir, DataDirError};
