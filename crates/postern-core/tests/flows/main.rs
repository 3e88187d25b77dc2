//! The verbs on a real SQLite store with a frozen clock: each test says one behaviour of the
//! lifecycle (`docs/lifecycle.md`).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admins;
mod confirm;
mod domains;
mod limits;
mod registry;
mod resend;
mod secrecy;
mod send;
mod spy;
mod suppression;
mod templates;
mod test_identity;
mod time;
mod verify;
mod world;
