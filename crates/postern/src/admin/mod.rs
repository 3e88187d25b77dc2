//! What an admin commands: one enum, executed by one function.
//!
//! A running server holds the data directory's lock and executes commands that come over
//! `DATA/admin.sock`; without one, the command line opens the store and executes them itself. Either
//! way [`Admin::execute`] is where a command is carried out.

mod audited;
mod command;
mod deliveries;
mod dkim;
mod doctor;
mod execute;
mod frame;
mod hooks;
mod keys;
mod providers;
mod remote;
mod reply;
mod shown;
mod socket;
mod suppression;
mod template_command;
mod template_reply;
mod templates;

pub use command::{
    AdminCommand, DeliveriesWanted, DkimCommand, NewDkim, NewProvider, NewTokenSource, Revealed,
};
pub use deliveries::{DeliveryRow, DeliveryTold, TryRow};
pub use execute::{Admin, Refusal};
pub use keys::opens;
pub use providers::input as provider_input;
pub use remote::{Remote, RemoteError};
pub use reply::{
    AdminReply, ClientRow, ClientSecretRow, DkimRow, HookRow, NewSecret, ProviderRow,
    SigningKeyRow, SuppressionRow,
};
pub(crate) use shown::signing_keys;
pub use socket::{SOCKET, Socket};
pub use template_command::{
    NewTemplate, TemplateCommand, TemplateName, TemplateText, WantedPreview, WantedVersion,
};
pub use template_reply::{
    FindingRow, TemplateRest, TemplateRow, TemplateSaved, TemplateShown, TemplateVersionRow,
};
