//! `postern mail hook …`

use super::admin::read;
use super::args::{HookCommand, StoreArgs};
use super::exit::Failure;
use crate::admin::{AdminCommand, Revealed};

/// The command, and the store that it works on.
pub(super) fn command(command: HookCommand) -> Result<(StoreArgs, AdminCommand), Failure> {
    Ok(match command {
        HookCommand::Set {
            provider,
            secret_file,
            store,
        } => {
            let secret = Revealed::new(read(&secret_file)?.trim().to_owned());
            (store, AdminCommand::HookSet { provider, secret })
        }
        HookCommand::List { store } => (store, AdminCommand::HookList),
        HookCommand::Remove { provider, store } => (store, AdminCommand::HookRemove { provider }),
    })
}
