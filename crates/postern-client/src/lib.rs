//! Passwordless e-mail sign-in from Rust: mail a code or a link, then verify what came back.
//!
//! It speaks the gRPC contract that Postern serves and that the Scalekit cloud serves too, so one
//! program works against either. One HTTP/2 connection carries everything; the access token is
//! fetched at the first call, kept, and renewed before it expires.
//!
//! ```
//! use std::time::Duration;
//! use postern_client::{Client, Error, SendRequest, Template, VerifyRequest};
//!
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/fake.rs"));
//! # use fake_server::Fake;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = Fake::start().await;
//! # let (url, id, secret) = (server.url(), Fake::CLIENT_ID, Fake::CLIENT_SECRET);
//! let client = Client::new(&url, id, secret)?;
//!
//! // Mail a code. Keep `auth_request_id` in the person's session.
//! let sent = client
//!     .passwordless()
//!     .send(
//!         SendRequest::new("ada@example.com")
//!             .template(Template::SignIn)
//!             .expires_in(Duration::from_secs(300))
//!             .variable("plan", "Family"),
//!     )
//!     .await?;
//!
//! # let typed = Fake::CODE;
//! // The person types the code from the mail.
//! let proof = VerifyRequest::code(&sent.auth_request_id, typed);
//! match client.passwordless().verify(proof).await {
//!     Ok(verified) => println!("{} is signed in", verified.email),
//!     Err(Error::InvalidCode(refusal)) => println!("wrong code: {refusal}"),
//!     Err(Error::Expired(_)) => println!("ask for a new code"),
//!     Err(error) => return Err(error.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is repeated, and what is not
//! A call is repeated only where the server has said, or the network shows, that nothing was
//! done: once with a new token after *unauthenticated* (fetched for that reason once in 5 seconds at
//! most), and up to three times with a back-off after *unavailable* or a connection that could not be made. A call that a leaving or busy server
//! says it did not take (HTTP/2's GOAWAY and `REFUSED_STREAM`) is made once more at once, and counts as
//! *unavailable* when that is not taken either. A connection that broke in the middle of a call is reported as [`Error::OutcomeUnknown`] and never repeated, because a mail
//! may be on its way. Everything stays within the deadline of the call
//! ([`ClientBuilder::deadline`], 20 seconds unless changed).
//!
//! # Trust
//! `https://` is verified against the system's certificates and those given to
//! [`ClientBuilder::ca_pem`]; `http://` is HTTP/2 in plain text, for development and private
//! networks. Nothing in this crate prints a secret: the client's secret, tokens, codes and links
//! are left out of every `Debug`.
#![warn(missing_docs)]

mod access_token;
mod answer;
mod bearer;
mod builder;
mod call;
mod client;
mod clock;
mod error;
mod fault;
mod keys;
mod passwordless;
mod refusal;
mod request;
mod tls;
mod transport;

#[cfg(test)]
include!("../tests/support/fake.rs");
#[cfg(test)]
mod tests;

pub use access_token::{AccessClaims, TokenChecks, TokenError};
pub use answer::{PasswordlessType, Sent, Verified};
pub use builder::{BuildError, ClientBuilder};
pub use client::Client;
pub use error::Error;
pub use passwordless::Passwordless;
pub use refusal::{FieldViolation, Refusal};
pub use request::{SendRequest, Template, VerifyRequest};
