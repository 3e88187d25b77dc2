//! What commands tell the audit that no amendment of the registry tells.

use postern_core::model::Suppression;

use super::command::AdminCommand;

/// One entry of the audit, but for who and when.
pub(super) struct Note {
    pub(super) action: &'static str,
    pub(super) target: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// What a command that was executed tells; nothing where the registry tells it, or nothing changed.
pub(super) fn note(command: &AdminCommand) -> Option<Note> {
    let told = |action, target: &str, before: &str, after: &str| {
        Some(Note {
            action,
            target: target.to_owned(),
            before: before.to_owned(),
            after: after.to_owned(),
        })
    };
    match command {
        AdminCommand::SuppressionAdd { address, note, .. } => {
            // As the entry itself keeps it.
            told("suppression.put", address, "", &Suppression::detail(note))
        }
        AdminCommand::SuppressionRemove { address } => {
            told("suppression.drop", address, "suppressed", "")
        }
        // That it was done, and not for whom: that would not be forgetting.
        AdminCommand::AddressForget { .. } => told("address.forget", "", "", ""),
        AdminCommand::RootReseal => told("root_key.reseal", "", "", ""),
        AdminCommand::RootRetire { kid } => {
            told("root_key.retire", &kid.to_string(), "accepted", "")
        }
        _ => None,
    }
}
