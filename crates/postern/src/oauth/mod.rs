//! The OAuth door: tokens for clients, the keys that verify them, and what describes both.

pub mod bearer;
mod claims;
mod form;
pub mod keys;
mod metadata;
mod published;
mod secret_uses;
mod signing;
mod token;

pub use claims::LIFETIME;
pub use metadata::{authorization_server, jwks, openid_configuration};
pub use published::{KeyProblem, Published, SigningKeys};
pub use secret_uses::SecretUses;
pub use signing::SigningPool;
pub use token::token;
