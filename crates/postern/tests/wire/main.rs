//! The wire contract, driven over real sockets.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod confirm;
mod doors;
mod errors;
mod grpc;
mod hooks;
mod hostile;
mod languages;
mod listener;
mod logs;
mod rest;
mod services;
mod support;
mod tokens;
