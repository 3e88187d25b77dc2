use std::net::SocketAddr;
use std::path::PathBuf;

use postern_store::{ConnectError, DataDirError};

use crate::disposable::DisposableError;
use crate::root_keys::RootKeysError;

/// Why the machine does not start; `Display` is one line for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the data directory.
    #[error("{0}")]
    InUse(String),
    /// The data directory cannot be used.
    #[error("cannot use the data directory {}: {reason}", dir.display())]
    Data {
        /// Which.
        dir: PathBuf,
        /// Why.
        reason: String,
    },
    /// The root keys cannot be read.
    #[error(transparent)]
    RootKeys(#[from] RootKeysError),
    /// The certificate cannot be served.
    #[error("{0}")]
    Certificate(String),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl StartError {
    /// Trouble with a listener.
    pub(super) fn listen(address: SocketAddr, error: &std::io::Error) -> Self {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                format!(
                    "port {} is taken by another program; choose one with --listen, 0 for any",
                    address.port()
                )
            }
            _ => error.to_string(),
        };
        Self::Listen { address, reason }
    }
}

impl From<DisposableError> for StartError {
    fn from(error: DisposableError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<DataDirError> for StartError {
    fn from(error: DataDirError) -> Self {
        match error {
            DataDirError::InUse { .. } => Self::InUse(error.to_string()),
            DataDirError::Unusable { path, source } => Self::Data {
                dir: path,
                reason: source.to_string(),
            },
        }
    }
}

impl From<ConnectError> for StartError {
    fn from(error: ConnectError) -> Self {
        Self::Other(with_sources(&error))
    }
}

/// An error with what lies under it, in one line.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line = format!("{line}: {source}");
        next = source.source();
    }
    line
}
