use std::fs::{self, File};
use std::path::{Path, PathBuf};

use postern_core::ports::{Clock, Entropy, random};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::error::BackupError;
use super::manifest::Manifest;
use crate::progress::{Progress, Watcher};
use crate::sqlite::open;

/// Pages copied between two looks at who else wants the disk: 1 MiB.
const STEP: i32 = 256;

/// Takes a backup of the store in the file `store` to the new file `to`, beside the server that may
/// have it open. Answers what the backup holds.
///
/// What is copied is the state of one commit. Writers go on: only the write-ahead log cannot begin
/// anew while the copying reads, and grows by what is written meanwhile.
///
/// # Errors
/// There is no such store, `to` is there already, or a file cannot be read or written. Then there is
/// nothing under the name `to`.
pub fn take(
    store: &Path,
    to: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    watcher: Watcher<'_>,
) -> Result<Manifest, BackupError> {
    if !store.is_file() {
        return Err(BackupError::NoStore(store.to_owned()));
    }
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let part = Part::beside(to, entropy);
    open::make(&part.0)?;
    let manifest = fill(store, &part.0, clock, watcher)?;
    part.place(to)?;
    Ok(manifest)
}

fn fill(
    store: &Path,
    part: &Path,
    clock: &dyn Clock,
    watcher: Watcher<'_>,
) -> Result<Manifest, BackupError> {
    let from = open::reading(store).map_err(BackupError::database("the store does not open"))?;
    let mut copy = open::copying(part).map_err(BackupError::database("the backup"))?;
    // Held to the end, so that what is copied stays as it is.
    let view = from.execute_batch("BEGIN; SELECT revision FROM registry;");
    view.map_err(BackupError::database("the store cannot be read"))?;
    let taken_at = clock.now();
    pages(&from, &mut copy, watcher).map_err(BackupError::database("copying"))?;
    drop(from);
    let mut finish = |copy: &Connection| {
        // One file: the copied header says that there is a log beside it.
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;")?;
        let manifest = Manifest::of(copy, taken_at, watcher)?;
        manifest.write(copy)?;
        Ok(manifest)
    };
    finish(&copy).map_err(BackupError::database("finishing the backup"))
}

fn pages(from: &Connection, to: &mut Connection, watcher: Watcher<'_>) -> rusqlite::Result<()> {
    let copying = Backup::new(from, to)?;
    loop {
        let more = copying.step(STEP)? != StepResult::Done;
        let at = copying.progress();
        let (left, of) = (at.remaining.unsigned_abs(), at.pagecount.unsigned_abs());
        watcher(Progress {
            step: "copying",
            done: u64::from(of - left.min(of)),
            of: of.into(),
        });
        if !more {
            return Ok(());
        }
        std::thread::yield_now();
    }
}

/// A file that is no backup yet. It goes with the value unless it was put in its place.
struct Part(PathBuf);

impl Part {
    fn beside(to: &Path, entropy: &dyn Entropy) -> Self {
        let mut name = to.file_name().unwrap_or_default().to_owned();
        let own = u64::from_le_bytes(random(entropy));
        name.push(format!(".{own:016x}.part"));
        Self(to.with_file_name(name))
    }

    /// Gives the file its name, durably, unless something has it meanwhile.
    fn place(self, to: &Path) -> Result<(), BackupError> {
        let file = File::open(&self.0).map_err(BackupError::file(&self.0))?;
        file.sync_all().map_err(BackupError::file(&self.0))?;
        let renamed = match rustix::fs::renameat_with(CWD, &self.0, CWD, to, RenameFlags::NOREPLACE)
        {
            // A file system that cannot rename so can mostly link.
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(&self.0, to),
            renamed => renamed.map_err(Into::into),
        };
        renamed.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
            _ => BackupError::file(to)(error),
        })?;
        sync_folder(to)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        for end in ["", "-journal", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            let _ = fs::remove_file(path);
        }
    }
}

/// Makes the names in a file's folder durable.
pub(super) fn sync_folder(file: &Path) -> Result<(), BackupError> {
    let parent = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(BackupError::file(folder))
}
