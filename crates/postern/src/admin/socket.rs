use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::command::AdminCommand;
use super::execute::{Admin, Refusal};
use super::frame;

/// The socket's name in the data directory.
pub const SOCKET: &str = "admin.sock";

/// Commands that are executed at the same time; further ones wait.
const AT_ONCE: usize = 4;

/// How long one conversation may take in all.
const CONVERSATION: Duration = Duration::from_mins(1);

/// The open admin socket of a running server. Gone from the directory when it is dropped.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Opens the socket in a data directory whose lock this process holds, mode 0600; what a crashed
    /// process left there is removed.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(data: &Path) -> io::Result<Self> {
        let path = data.join(SOCKET);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let directory = File::open(data)?;
        let listener = UnixListener::bind(short(&directory))?;
        fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Executes what comes. Runs until it is dropped.
    pub async fn serve(self, admin: Arc<Admin>) {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            let place = Arc::clone(&room).acquire_owned().await;
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let admin = Arc::clone(&admin);
                    tokio::spawn(async move {
                        // An admin that hangs up hears nothing; what was executed stands in the store.
                        let _ = timeout(CONVERSATION, converse(stream, &admin)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin socket cannot accept");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens a connection to the socket of a data directory.
///
/// # Errors
/// What the system says: not found and refused mean that no server is running.
pub(super) async fn connect(data: &Path) -> io::Result<UnixStream> {
    let directory = File::open(data)?;
    UnixStream::connect(short(&directory)).await
}

/// The socket by way of the open directory: a socket's path may have only 107 bytes.
fn short(directory: &File) -> String {
    format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd())
}

async fn converse(mut stream: UnixStream, admin: &Admin) -> io::Result<()> {
    let answer = match frame::read::<AdminCommand>(&mut stream).await {
        Ok(command) => admin.execute(command).await,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Refusal(format!(
            "this server (version {}) does not know that command: use the command line of its own version",
            env!("CARGO_PKG_VERSION")
        ))),
        Err(error) => return Err(error),
    };
    frame::write(&mut stream, &answer.map_err(|refusal| refusal.0)).await
}
