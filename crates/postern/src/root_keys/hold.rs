use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::fs::OFlags;

use super::RootKeysError;

/// How often a change looks whether the others are done.
const LOOKS: u32 = 2000;
const PAUSE: Duration = Duration::from_millis(10);

/// A keyring file held for one change. It ends with the value, or with the process.
#[derive(Debug)]
pub struct Hold(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl Hold {
    /// Waits at most 20 s until no other change of `file` is under way. Blocks its thread.
    ///
    /// # Errors
    /// Another process does not let go of it, or the lock cannot be made beside the file.
    pub fn take(file: &Path) -> Result<Self, RootKeysError> {
        let io = |source| RootKeysError::Io {
            file: file.display().to_string(),
            source,
        };
        let lock = open(file).map_err(io)?;
        for _ in 0..LOOKS {
            match lock.try_lock() {
                Ok(()) => return Ok(Self(lock)),
                Err(TryLockError::Error(error)) => return Err(io(error)),
                Err(TryLockError::WouldBlock) => pause(),
            }
        }
        Err(RootKeysError::Refused(format!(
            "another process is changing the root keys {}: try again",
            file.display()
        )))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the lock of another process tells nobody that it is free"
)]
fn pause() {
    thread::sleep(PAUSE);
}

/// A file of its own, which stays: the keyring file is replaced, and a lock on it with it.
fn open(file: &Path) -> io::Result<File> {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(file.with_file_name(name))
}
