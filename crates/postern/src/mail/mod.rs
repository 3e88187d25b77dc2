//! Mail: what is sent, and how it gets out.
//!
//! [`Renderer`] turns a delivery into a [`Mail`] at the moment of sending: the store holds no
//! rendered mail and no credential. A transport hands the mail over and says in an [`Outcome`]
//! what became of it.

mod breaker;
mod development;
mod dkim;
mod gate;
mod health;
pub mod inbox;
mod mark;
mod matter;
mod memory;
mod message;
mod opener;
mod outcome;
mod preset;
mod providers;
mod rate;
mod render;
mod sender;
pub mod smtp;
mod submission;
mod templates;
mod transport;
mod when;
pub mod wording;

pub use development::Development;
pub use dkim::make_dkim_key;
pub use gate::{Gate, Shut};
pub use health::{Condition, Health};
pub use mark::POSTMARK_MARK;
pub use matter::{Matter, TokenFault};
pub use memory::Memory;
pub use message::{Credentials, Mail, MessageError, message_of};
pub(crate) use outcome::is_unseen;
pub use outcome::{Outcome, Reply, Stage};
/// Which mail: what it is for and what it carries.
pub use postern_core::model::MailKind as Kind;
pub use preset::{LoginName, Preset, Shape, SpfNeed, microsoft_token_url};
pub use providers::{Providers, Tried, probe, send_test};
pub use render::{RenderError, Renderer};
pub use sender::{Sender, SenderProblem};
pub use templates::{
    ALWAYS, FellBack, Fields, Finding, Imported, Part, Parts, SAMPLE_CODE, SAMPLE_LINK, Serving,
    Severity, Source, TemplateError, Templates, Uncarried, built_in_source, escape_html, import,
    in_force, in_turn, lint, preview, sample, sentences, served_instead,
};
pub use transport::{Carrier, Patience, Route, Transport};
pub(crate) use when::rfc3339;
