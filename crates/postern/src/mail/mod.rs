//! Mail: what is sent, and how it gets out.

mod outcome;
pub mod smtp;

pub use outcome::{Outcome, Reply, Stage};
