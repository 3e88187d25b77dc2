//! How Postern keeps its state.

pub mod inbox;
