//! `postern delivery …`

use super::admin::carry;
use super::args::DeliveryCommand;
use super::exit::Failure;
use crate::admin::{AdminCommand, DeliveriesWanted, DeliveryRow, DeliveryTold, TryRow};

/// Carries out one command on mails.
pub(super) fn run(command: DeliveryCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        DeliveryCommand::List {
            state,
            to,
            limit,
            store,
        } => (
            store,
            AdminCommand::DeliveryList(DeliveriesWanted { state, to, limit }),
        ),
        DeliveryCommand::Show { id, store } => (store, AdminCommand::DeliveryShow { id }),
    };
    carry(&store, &command, json)
}

/// The head of a list of mails.
pub(super) const HEAD: [&str; 6] = ["ID", "TO", "STATE", "ATTEMPTS", "PROVIDER", "QUEUED"];

/// One line of a list of mails.
pub(super) fn line(row: &DeliveryRow) -> Vec<String> {
    vec![
        row.id.clone(),
        row.to.clone(),
        row.state.clone(),
        row.attempts.to_string(),
        row.provider.clone().unwrap_or_default(),
        row.queued_at.clone(),
    ]
}

/// A mail and what happened to it.
pub(super) fn told(one: &DeliveryTold) -> String {
    let row = &one.row;
    let due = row
        .due_at
        .as_ref()
        .map_or(String::new(), |at| format!(", due {at}"));
    let head = format!("{}  to {}: {}{due}\n", row.id, row.to, row.state);
    head + &one.timeline.iter().map(happened).collect::<String>()
}

fn happened(one: &TryRow) -> String {
    let attempt = one.attempt.map(|number| format!("attempt {number}"));
    let words = [
        Some(one.at.as_str()),
        Some(one.what.as_str()),
        attempt.as_deref(),
        one.provider.as_deref(),
        one.fault.as_deref(),
        one.reply.as_deref(),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    format!("  {}\n", words.join("  "))
}
