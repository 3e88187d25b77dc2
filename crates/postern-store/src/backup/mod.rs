//! Backups of an embedded store: taken while a server runs, restored when none does.
//!
//! A backup is one SQLite file with a manifest in it, which is written last: what was broken off has
//! none and is refused. It never holds root keys; the manifest names the numbers of those it needs.

mod error;
mod manifest;
mod restore;
mod revoke;
mod take;
#[cfg(test)]
mod tests;

pub use error::BackupError;
pub use manifest::{Manifest, inspect, registry};
pub use restore::{Restored, Wanted, restore};
pub use take::take;

pub use revoke::Ended;

pub(crate) use restore::refuse_half;
pub(crate) use revoke::revoke;
