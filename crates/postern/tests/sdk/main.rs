//! The vendor's published SDKs, unchanged, against the real binary: what an application that moves
//! to Postern does on its first day.

mod node;
mod python;
mod quickstart;
mod script;
