//! What an operator deploys: read from the defaults, a file, the environment and flags, in that
//! order, and refused as a whole when it does not make sense.
//!
//! [`Layers`] holds what was typed and where; [`Config`] is what it means. Nothing else in the
//! server reads a configuration file or the environment.

mod check;
mod error;
mod layers;
mod meaning;
mod origin;
pub mod print;
mod public_url;
mod raw;
pub mod reference;
pub mod units;

pub use error::ConfigError;
pub use layers::Layers;
pub use meaning::{
    Config, DEVELOPMENT_FILE, DataConfig, LimitsConfig, Mode, OutboxConfig, ServerConfig,
    TlsConfig, Transport,
};
pub use origin::Origin;
pub use public_url::PublicUrl;

/// `postern.default.toml`, the one source of defaults.
pub const DEFAULTS: &str = include_str!("../../../../postern.default.toml");

/// The table of `postern.default.toml` that belongs to admins: it lives in the store.
pub const SETTINGS_TABLE: &str = "settings";

#[cfg(test)]
mod tests;
