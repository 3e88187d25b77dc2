//! The rules of Postern: what an auth request is, how its credentials are derived, and how a proof
//! is judged.
//!
//! Nothing here knows a network, SQL, a file or a clock: time and randomness come in as values or
//! through [`ports`], and everything that happens to the world goes out through [`ports::Store`].
//!
//! - [`model`]: nouns that cannot be wrong. Constructors parse.
//! - [`rules`]: pure decisions on values.
//! - [`flow`]: the verbs, one file each.
//! - [`keyring`]: the roots and the keys derived from them.
#![warn(missing_docs)]
#![deny(clippy::wildcard_enum_match_arm)]

pub mod error;
pub mod flow;
pub mod keyring;
pub mod model;
pub mod ports;
pub mod rules;
pub mod settings;

pub use error::Error;
