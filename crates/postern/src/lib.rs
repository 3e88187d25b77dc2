//! Postern: a self-hosted server for signing in by e-mail, and its command line.
//!
//! The binary is [`cli::main`]; everything else is a library so that tests can hold the parts in
//! their hands. Doors (`grpc`, `rest`, `oauth`) decode and encode, `postern-core` decides,
//! `postern-store` keeps; `compose` builds the whole machine once.

pub mod admin;
pub mod app;
pub mod calls;
pub mod certificates;
pub mod cli;
pub mod compose;
pub mod config;
pub mod confirm;
pub mod dashboard;
pub mod disposable;
pub mod doctor;
#[cfg(feature = "testing")]
mod faults;
pub mod following;
pub mod freshness;
pub mod grpc;
pub mod health;
pub mod hooks;
pub mod https;
pub mod listen;
pub mod listing;
pub mod mail;
pub mod oauth;
pub mod openapi;
pub mod outbox;
pub mod present;
pub mod private_file;
pub mod projecting;
pub mod prompt;
pub mod rest;
pub mod root_keys;
pub mod router;
pub mod scrape;
#[cfg(test)]
mod standstill;
pub mod sweeping;
pub mod telemetry;
pub mod trust;
pub mod world;
