use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::time::timeout;

use super::command::AdminCommand;
use super::execute::Refusal;
use super::reply::AdminReply;
use super::{frame, socket};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection to the server that runs on a data directory.
#[derive(Debug)]
pub struct Remote(UnixStream);

/// Why a running server gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The server answered that it did not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The conversation broke off: the command may have been executed.
    #[error("the running server did not answer, and the command may have taken effect: {0}")]
    Broken(io::Error),
}

impl Remote {
    /// Connects to the server of this data directory; `None` when none is running.
    ///
    /// # Errors
    /// A server seems to be there, but this user may not talk to it.
    pub async fn find(data: &Path) -> io::Result<Option<Self>> {
        match socket::connect(data).await {
            Ok(stream) => Ok(Some(Self(stream))),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Has the server execute a command.
    ///
    /// # Errors
    /// It refuses, or does not answer.
    pub async fn execute(mut self, command: &AdminCommand) -> Result<AdminReply, RemoteError> {
        let conversation = async {
            frame::write(&mut self.0, command).await?;
            frame::read::<Result<AdminReply, String>>(&mut self.0).await
        };
        match timeout(PATIENCE, conversation).await {
            Ok(Ok(answer)) => answer.map_err(|told| Refusal(told).into()),
            Ok(Err(error)) => Err(RemoteError::Broken(error)),
            Err(_) => Err(RemoteError::Broken(io::ErrorKind::TimedOut.into())),
        }
    }
}
