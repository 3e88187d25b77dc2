//! Copies a store into one of the other engine.
//!
//! Every table of the schema is named in `tables.rs`; its columns are read from the two databases. A
//! table is gone through in the order of its key, and what differs is written, so that going through it
//! again brings the copy up to date and a copy that was broken off goes on. The source is served
//! meanwhile; then it is fenced, gone through once more, and both sides are compared.

mod error;
mod flow;
mod postgres_side;
mod side;
mod sqlite_side;
mod tables;
#[cfg(test)]
mod tests;

pub use error::CopyError;
pub use flow::{Copied, copy, end_open, lift};
pub use side::Place;
