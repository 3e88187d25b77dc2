//! The wire contract as Rust types: messages, gRPC stubs and their proto3 JSON forms.
//!
//! Generated from the files under `proto/`. The JSON forms write proto names (snake_case), 64-bit
//! integers as strings, enums by name, plain fields always and unset optional ones never; they read
//! both cases, numbers or strings, and ignore unknown keys.

pub mod timestamp;

/// Every file of the contract with its imports, encoded, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// What the files of the contract say about each message, field and enum, by its full name.
pub const COMMENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/comments.rs"));

/// The `Any` type URL of [`scalekit::v1::errdetails::ErrorInfo`].
pub const ERROR_INFO_TYPE_URL: &str = "type.googleapis.com/scalekit.v1.errdetails.ErrorInfo";

/// Packages of the `scalekit` tree.
#[expect(
    unused_qualifications,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated code has a style of its own"
)]
pub mod scalekit {
    /// Version 1, the only one.
    pub mod v1 {
        /// Sign-in.
        pub mod auth {
            /// Send, resend and verify.
            pub mod passwordless {
                include!(concat!(
                    env!("OUT_DIR"),
                    "/scalekit.v1.auth.passwordless.rs"
                ));
                include!(concat!(
                    env!("OUT_DIR"),
                    "/scalekit.v1.auth.passwordless.serde.rs"
                ));
            }
        }
        /// What errors carry.
        pub mod errdetails {
            include!(concat!(env!("OUT_DIR"), "/scalekit.v1.errdetails.rs"));
            include!(concat!(env!("OUT_DIR"), "/scalekit.v1.errdetails.serde.rs"));
        }
        /// The authentication log.
        pub mod auditlogs {
            include!(concat!(env!("OUT_DIR"), "/scalekit.v1.auditlogs.rs"));
            include!(concat!(env!("OUT_DIR"), "/scalekit.v1.auditlogs.serde.rs"));
        }
    }
}

/// Packages of the `google` tree that `prost_types` lacks.
pub mod google {
    /// `google.rpc.Status`.
    pub mod rpc {
        include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
    }
}
