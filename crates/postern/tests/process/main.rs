//! The real binary as a process: killed without warning, and read for what it should not have
//! said.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod caller;
mod copy;
mod failover;
mod kill9;
mod log_scan;
mod nodes;
mod proxy;
mod repeats;
mod served;
mod stalled;
mod travelling;
mod upgrade;
