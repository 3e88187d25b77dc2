use std::io;
use std::path::{Path, PathBuf};

use crate::connect::ConnectError;

/// Why a backup was not taken, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is something under this name already.
    #[error("{} is there already: a backup overwrites nothing", .0.display())]
    Exists(PathBuf),
    /// There is no store to back up.
    #[error("there is no store at {}", .0.display())]
    NoStore(PathBuf),
    /// The file is not a whole backup.
    #[error("{} is not a whole backup: {reason}", path.display())]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A store is there already.
    #[error(
        "there is a store in {} already: restore elsewhere, or say --replace to put it aside first", .0.display()
    )]
    NotEmpty(PathBuf),
    /// The caller did not want this backup restored.
    #[error("{0}")]
    Unwanted(String),
    /// The schema in it is none of ours, or of a later release.
    #[error(transparent)]
    Schema(#[from] ConnectError),
    /// The file system stands in the way.
    #[error("{}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database says no.
    #[error("{doing}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
}

impl BackupError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(super) fn database(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    pub(super) fn not_whole(path: &Path, reason: impl Into<String>) -> Self {
        Self::NotWhole {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }
}
