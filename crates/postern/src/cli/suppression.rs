//! `postern suppression …`

use super::args::SuppressionCommand;
use super::exit::Failure;
use super::{show, store};
use crate::admin::AdminCommand;

/// Runs the command on its store and shows the answer.
pub(super) fn run(command: SuppressionCommand, json: bool) -> Result<(), Failure> {
    let (store, command) = match command {
        SuppressionCommand::List { address, store } => {
            (store, AdminCommand::SuppressionList { address })
        }
        SuppressionCommand::Add {
            address,
            lasts,
            note,
            store,
        } => {
            let for_seconds = lasts.map(|lasts| lasts.as_secs());
            let add = AdminCommand::SuppressionAdd {
                address,
                for_seconds,
                note,
            };
            (store, add)
        }
        SuppressionCommand::Remove { address, store } => {
            (store, AdminCommand::SuppressionRemove { address })
        }
    };
    show::reply(&store::execute(&store, &command)?, json)
}
