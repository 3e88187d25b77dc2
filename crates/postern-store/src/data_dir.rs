use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

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
        format!("sqlite:{}", self.path.join("postern.db").display())
    }

    /// Gives the folder back before the value ends.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn release(self) -> io::Result<()> {
        self.lock.unlock()
    }
}

/// `None` when another process holds the folder.
fn lock(path: &Path) -> io::Result<Option<File>> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
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
    fn only_the_owner_can_look_into_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let held = DataDir::open(dir.path().join("a/b")).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(held.path()), 0o700);
        assert_eq!(mode(&held.path().join("postern.lock")), 0o600);
    }
}
