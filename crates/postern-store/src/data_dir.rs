use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The folder of an embedded store, held for this process alone while the value lives.
///
/// The hold is a lock of the operating system on `postern.lock`: it ends with the process however
/// that ends, so a crash leaves nothing to clear away.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    lock: File,
}

/// Why a folder cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Another process holds it.
    #[error("the data directory {} is in use by another process{}", path.display(), of(*.pid))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The other process, if it said so.
        pid: Option<u32>,
    },
    /// It cannot be made or written.
    #[error("cannot use {} as the data directory", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the folder if need be (mode 0700) and holds it.
    ///
    /// # Errors
    /// Another process holds it, or it cannot be written.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let path = path.into();
        match lock(&path) {
            Ok(Some(lock)) => Ok(Self { path, lock }),
            Ok(None) => Err(DataDirError::InUse {
                pid: holder(&path),
                path,
            }),
            Err(source) => Err(DataDirError::Unusable { path, source }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The URL of the embedded store in it, for [`crate::connect()`].
    pub fn store_url(&self) -> String {
        format!("sqlite:{}", self.store_file().display())
    }

    /// The file of the embedded store in it.
    pub fn store_file(&self) -> PathBuf {
        store_file(&self.path)
    }

    /// Gives the folder back before the value ends.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn release(self) -> io::Result<()> {
        self.lock.unlock()
    }
}

/// The file of the embedded store in a data directory, whoever holds that.
pub fn store_file(dir: &Path) -> PathBuf {
    dir.join("postern.db")
}

/// Makes a folder, and those above it, for the owner alone.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// `None` when another process holds the folder.
fn lock(path: &Path) -> io::Result<Option<File>> {
    make_private(path)?;
    guarded(path)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path.join("postern.lock"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Some(file))
}

/// Refuses a folder in which others could replace our files.
fn guarded(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    let (shown, mode) = (path.display(), metadata.mode());
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(
            "it belongs to another user: chown it to the one that runs postern",
        ));
    }
    if mode & 0o022 != 0 {
        let told = format!("other users can write to it: run `chmod 700 {shown}`");
        return Err(io::Error::other(told));
    }
    if mode & 0o044 != 0 {
        tracing::warn!(dir = %shown, "other users can read the data directory: chmod 700");
    }
    Ok(())
}

fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path.join("postern.lock"))
        .ok()?
        .take(16)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

fn of(pid: Option<u32>) -> String {
    pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_second_holder_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::open(dir.path().join("data")).unwrap();
        let refused = DataDir::open(held.path()).unwrap_err();
        let told = format!("in use by another process (pid {})", std::process::id());
        assert!(refused.to_string().ends_with(&told), "{refused}");
    }

    #[test]
    fn a_folder_given_back_can_be_held_again() {
        let dir = tempfile::tempdir().unwrap();
        DataDir::open(dir.path()).unwrap().release().unwrap();
        drop(DataDir::open(dir.path()).unwrap());
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn a_folder_that_others_write_to_is_refused_and_no_link_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        let other = dir.path().join("other");
        std::fs::write(&other, "kept").unwrap();
        let data = dir.path().join("data");
        drop(DataDir::open(&data).unwrap());
        std::fs::remove_file(data.join("postern.lock")).unwrap();
        std::os::unix::fs::symlink(&other, data.join("postern.lock")).unwrap();
        DataDir::open(&data).unwrap_err();
        assert_eq!(std::fs::read(&other).unwrap(), b"kept");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o777)).unwrap();
        let refused = format!("{:?}", DataDir::open(&data).unwrap_err());
        assert!(refused.contains("chmod 700"), "{refused}");
    }

    #[test]
    fn only_the_owner_can_look_into_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::open(dir.path().join("a/b")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(held.path()), 0o700);
        assert_eq!(mode(&held.path().join("postern.lock")), 0o600);
    }
}
