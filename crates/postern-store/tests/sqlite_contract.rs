//! The SQLite engine, put through the contract of the ports.

postern_store::contract!(postern_store::testing::temp_store);
