//! `postern backup` and `postern restore`

use std::path::PathBuf;

use clap::Args;

use super::StoreArgs;

/// Flags of `postern backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write, which must not be there yet; in a directory (or a path that ends with /), one named
    /// for the moment.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

/// Flags of `postern restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup.
    pub(crate) file: PathBuf,
    /// Only say whether it is whole and the root keys that it needs are there and open it; nothing is changed.
    #[arg(long, conflicts_with = "replace")]
    pub(crate) check: bool,
    /// Put the store that is there aside, into a directory beside it.
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}
