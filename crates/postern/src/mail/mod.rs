//! Mail: what is sent, and how it gets out.
//!
//! [`Renderer`] turns a delivery into a [`Mail`] at the moment of sending: the store holds no
//! rendered mail and no credential. A transport hands the mail over and says in an [`Outcome`]
//! what became of it.

mod message;
mod outcome;
mod render;
mod sender;
pub mod smtp;
mod templates;
mod when;

pub use message::{Credentials, Mail, MessageError};
pub use outcome::{Outcome, Reply, Stage};
pub use render::{Input, RenderError, Renderer};
pub use sender::{Sender, SenderProblem};
pub use templates::{ALWAYS, Fields, Kind, Parts, TemplateError, Templates, escape_html};
