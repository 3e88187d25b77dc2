//! Nouns that cannot be wrong: their constructors parse, and their secrets do not print.

mod admin;
mod audit;
mod auth_request;
mod caller;
mod client;
mod delivery;
mod digits;
mod dkim;
mod domain_list;
mod email;
mod event;
mod feedback;
mod history;
mod id;
mod language;
mod link_uri;
mod log;
mod mail_kind;
mod mail_template;
mod provider;
mod sealed;
mod secret;
mod signing_key;
mod snapshot;
mod suppression;
mod tally;
mod time;
mod variables;

pub use admin::{AdminAccount, AdminSession, Invite, Role, TokenDigest};
pub use audit::AuditEntry;
pub use auth_request::{
    AuthRequest, CodeAlphabet, CodeShape, Method, State, Template, UsedBy, WrongCodes,
};
pub use caller::{Caller, Person};
pub use client::{Client, ClientSecret, SecretDigest};
pub use delivery::{Delivery, DeliveryState, Fault, LastTry, Outgoing, Settlement, Try};
pub use dkim::{DkimAlgorithm, DkimKey};
pub use domain_list::{DomainList, DomainListProblem};
pub use email::{AddressKey, Email, EmailProblem};
pub use event::{Event, EventKind};
pub use feedback::{Fate, Feedback, HookProvider, MailHook};
pub use history::{History, SecondBuckets};
pub use id::{AuthRequestId, ClientId, DeliveryId, NodeId};
pub use language::{Language, Languages};
pub use link_uri::{LinkUri, LinkUriProblem};
pub use log::{EventId, LogEntry, LogStatus};
pub use mail_kind::MailKind;
pub use mail_template::{
    TemplateEntry, TemplateHead, TemplateKey, TemplateSource, TemplateVersion,
};
pub use provider::{MailProvider, TlsMode, TokenSource};
pub use sealed::{Sealed, Slot};
pub use secret::{LinkToken, PageToken, Passcode, RequestHandle, SecretText};
pub use signing_key::{SigningKey, SigningState};
pub use snapshot::Snapshot;
pub use suppression::{Suppression, SuppressionReason};
pub use tally::{Counter, Tally};
pub use time::Timestamp;
pub use variables::{RESERVED_VARIABLES, Variables};

pub(crate) use digits::fold_code;
pub(crate) use domain_list::with_parents;
pub(crate) use email::domain_name;
pub(crate) use link_uri::may_be_custom;
pub(crate) use variables::{is_https, is_mailable};
