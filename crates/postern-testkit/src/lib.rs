//! What Postern's tests need of the outside world, made to misbehave on request. Never part of
//! the server.

pub mod browser;
mod daemon;
pub mod dns;
pub mod haproxy;
pub mod pgbouncer;
pub mod postfix;
pub mod postgres;
pub mod process;
pub mod smtp;
pub mod tokens;
