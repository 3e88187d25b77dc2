//! `postern mail dkim …`

use super::args::{DkimCommand, StoreArgs};
use crate::admin::{AdminCommand, DkimRow, NewDkim};

/// The columns of a list.
pub(super) const HEAD: [&str; 4] = ["DOMAIN", "SELECTOR", "ALGORITHM", "MADE"];

/// The command, and the store that it works on.
pub(super) fn command(command: DkimCommand) -> (StoreArgs, AdminCommand) {
    match command {
        DkimCommand::Create {
            domain,
            selector,
            algorithm,
            store,
        } => {
            let algorithm = algorithm.map(|one| one.as_str().to_owned());
            let new = NewDkim {
                domain,
                selector,
                algorithm,
            };
            (store, AdminCommand::DkimCreate(new))
        }
        DkimCommand::Show {
            domain,
            selector,
            store,
        } => (store, AdminCommand::DkimShow { domain, selector }),
        DkimCommand::List { store } => (store, AdminCommand::DkimList),
        DkimCommand::Remove {
            domain,
            selector,
            store,
        } => (store, AdminCommand::DkimRemove { domain, selector }),
    }
}

/// A row of a list.
pub(super) fn line(row: &DkimRow) -> Vec<String> {
    vec![
        row.domain.clone(),
        row.selector.clone(),
        row.algorithm.clone(),
        row.created_at.clone(),
    ]
}

/// A record, for forms of DNS providers and for zone files.
pub(super) fn record(row: &DkimRow) -> String {
    format!(
        "; {} key of {}, made {}\n; name   {}\n; value  {}\n{}\n\n",
        row.algorithm, row.domain, row.created_at, row.name, row.record, row.zone_line
    )
}
