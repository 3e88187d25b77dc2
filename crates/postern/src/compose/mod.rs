//! Builds everything once, top to bottom, with no globals: reading it shows the whole machine.
//!
//! [`desk`] is the small half, for a command line that works on a store whose server is not
//! running; [`Machine`] is the server.

mod error;
mod foundation;
mod house;
mod machine;
mod ports;
mod signing;

pub use error::StartError;
pub(crate) use error::with_sources;
pub use machine::Machine;

use std::time::Duration;

use crate::admin::Admin;
use crate::config::Config;
use foundation::Foundation;

/// An opened store with the commands on it.
pub struct Desk {
    /// Executes commands.
    pub admin: Admin,
    foundation: Foundation,
}

/// Opens the store that `config` names for commands of this process.
///
/// # Errors
/// The data directory is in use, or the store or the root keys cannot be read.
pub async fn desk(config: &Config) -> Result<Desk, StartError> {
    let foundation = Foundation::lay(config, |engine| engine).await?;
    let url = config.server.public_url.as_ref();
    let url = url.map_or_else(|| "http://127.0.0.1:8080".to_owned(), ToString::to_string);
    Ok(Desk {
        admin: Admin {
            serving: false,
            ..foundation.admin(&url)
        },
        foundation,
    })
}

/// Brings the schema of the store that `config` names up to this release; answers the names of the
/// migrations that were applied.
///
/// # Errors
/// The store cannot be reached, is in use (a file), or is not one that this release can work with.
pub async fn migrate(config: &Config) -> Result<Vec<String>, StartError> {
    foundation::bring_up(config).await
}

impl Desk {
    /// Closes the store and gives the data directory back.
    pub async fn close(self) {
        drop(self.admin);
        self.foundation.close().await;
    }
}

/// A runtime for one command: the calling thread alone.
///
/// # Errors
/// The system gives no runtime.
pub fn small_runtime() -> Result<tokio::runtime::Runtime, StartError> {
    let built = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    built.map_err(|error| StartError::Other(format!("no runtime: {error}")))
}

/// How long a thread for work that blocks waits for more of it. The allocator keeps what is free until a thread
/// ends, and then gives the system back what nobody took for a second.
const IDLE_THREAD: Duration = Duration::from_secs(2);

/// The server's runtime: as many workers as are configured, beside the store's own threads.
///
/// # Errors
/// The system gives no runtime.
pub fn runtime(config: &Config) -> Result<tokio::runtime::Runtime, StartError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder
        .worker_threads(config.server.workers.get())
        .thread_keep_alive(IDLE_THREAD)
        .thread_name("postern")
        .enable_all()
        .build();
    built.map_err(|error| StartError::Other(format!("no runtime: {error}")))
}
