//! `postern mail dkim …`

use super::args::{DkimArgs, StoreArgs};
use crate::admin::{DkimCommand, DkimRow, NewDkim};

/// The columns of a list.
pub(super) const HEAD: [&str; 4] = ["DOMAIN", "SELECTOR", "ALGORITHM", "MADE"];

/// The command, and the store that it works on.
pub(super) fn command(typed: DkimArgs) -> (StoreArgs, DkimCommand) {
    match typed {
        DkimArgs::Create {
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
            (store, DkimCommand::Create(new))
        }
        DkimArgs::Show {
            domain,
            selector,
            store,
        } => (store, DkimCommand::Show { domain, selector }),
        DkimArgs::List { store } => (store, DkimCommand::List),
        DkimArgs::Remove {
            domain,
            selector,
            store,
        } => (store, DkimCommand::Remove { domain, selector }),
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
