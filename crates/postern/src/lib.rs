//! Postern: a self-hosted server for signing in by e-mail, and its command line.
//!
//! The binary is [`cli::main`]; everything else is a library so that tests can hold the parts in
//! their hands. Doors (`grpc`, `rest`, `oauth`) decode and encode, `postern-core` decides,
//! `postern-store` keeps; `compose` builds the whole machine once.

pub mod certificates;
pub mod config;
pub mod mail;
pub mod private_file;
pub mod root_keys;
pub mod telemetry;
