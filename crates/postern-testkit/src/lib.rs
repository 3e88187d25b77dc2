//! What Postern's tests need of the outside world, made to misbehave on request. Never part of
//! the server.

pub mod browser;
pub mod dns;
pub mod postfix;
pub mod postgres;
pub mod process;
pub mod smtp;
pub mod tokens;
