//! Certificates: the private CA of development, and taking up changed files.

mod private_ca;
mod reload;

pub use private_ca::PrivateCa;
pub use reload::follow;
