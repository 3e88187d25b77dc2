//! The real server, a real browser, and an app that does the worst: it takes a link on GET.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod app;
mod scanners;
