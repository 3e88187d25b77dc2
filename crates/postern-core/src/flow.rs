//! The verbs: each reads the clock, calls rules, calls one act of the store and answers a value.
