//! The roots and what is derived from them: every credential, every seal.
//!
//! A root is 32 random bytes with a number, its *kid*. HKDF-SHA256 (RFC 5869) gives each purpose a
//! key of its own. One root is current and issues; the others are accepted.

mod credentials;
mod roots;
mod seal;

pub(crate) use credentials::same_code;
pub use credentials::{Binding, HANDLE_CHARS, LINK_TOKEN_CHARS, OfferedLink, OfferedPage};
pub use roots::{Keyring, KeyringProblem, RootSecret};
pub use seal::SealProblem;

#[cfg(test)]
mod tests;
