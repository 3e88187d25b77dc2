//! Files that only their owner reads, replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use postern_core::ports::random;

use crate::world::SystemEntropy;

/// Replaces `path` with `content`, mode 0600: written beside it, synced, renamed, and the
/// directory synced, so that a crash leaves the old file or the new one.
///
/// # Errors
/// What the system says.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = beside(path);
    let placed = place(&beside, content).and_then(|()| fs::rename(&beside, path));
    if placed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    placed?;
    File::open(directory(path))?.sync_all()
}

fn place(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes a directory, and those above it, that only its owner enters; one that is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn directory_at(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// The text of a file, or `None` when it does not exist.
///
/// # Errors
/// Whatever else the system says.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether others than its owner may read or write a file that is there.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

/// A name of its own for each writer, so that none replaces the file with what another one has begun.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    let suffix = u64::from_le_bytes(random(&SystemEntropy));
    name.push(format!(".{suffix:016x}.new"));
    path.with_file_name(name)
}

fn directory(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_is_its_owners_alone_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("root.keys");
        fs::write(&path, "old").expect("the directory is writable");
        replace(&path, b"new").expect("the directory is writable");
        assert_eq!(read(&path).expect("it is there").as_deref(), Some("new"));
        assert!(!is_open_to_others(&path));
        assert_eq!(
            fs::metadata(&path)
                .expect("it is there")
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(
            read(&dir.path().join("nothing")).expect("absence is not trouble"),
            None
        );
    }
}
