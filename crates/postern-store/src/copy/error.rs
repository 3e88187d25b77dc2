use crate::connect::ConnectError;
use crate::data_dir::DataDirError;
use crate::fence::Fence;

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the two cannot be worked with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The folder of the target cannot be held.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There is no store to copy, or both are of the same kind.
    #[error("{0}")]
    Place(String),
    /// The source is fenced for something else.
    #[error("the source cannot be copied: {0}")]
    Source(Fence),
    /// The target is not this copy's.
    #[error("{0}")]
    Target(String),
    /// The two schemas do not agree with what is known of them.
    #[error("the schema is not as this release expects it: {0}")]
    Schema(String),
    /// The file of the source is damaged.
    #[error("the source is damaged and was not copied: {0}")]
    Damaged(String),
    /// After the copy the two sides differ.
    #[error(
        "the copy of {table} is not like its source ({copied} rows of {rows}): nothing is served from it. Copy again"
    )]
    Differs {
        /// Which table.
        table: String,
        /// Its rows.
        rows: u64,
        /// The rows of the copy.
        copied: u64,
    },
    /// A database says no.
    #[error("{doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CopyError {
    /// A failure while `doing` something.
    pub(super) fn doing<E>(doing: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let doing = doing.into();
        move |error| Self::Database {
            doing,
            source: error.into(),
        }
    }
}
