//! The list of disposable domains: the shipped one, or a file that is read again when it changes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use postern_core::model::DomainList;

/// The list in force, and the file that it comes from.
#[derive(Clone, Debug)]
pub struct Disposable {
    file: Option<PathBuf>,
    list: Arc<ArcSwap<DomainList>>,
}

/// Why a file cannot be used; the sentence names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("data.disposable_domains_file: {} cannot be used: {reason}", file.display())]
pub struct DisposableError {
    file: PathBuf,
    reason: String,
}

/// What tells that a file was replaced.
pub(crate) type Mark = Option<(SystemTime, u64, u64)>;

impl Disposable {
    /// The list of this file; the shipped one without a file.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it is no domain name.
    pub fn read(file: &Path) -> Result<Self, DisposableError> {
        let file = (!file.as_os_str().is_empty()).then(|| file.to_owned());
        let list = match &file {
            Some(file) => load(file)?,
            None => DomainList::bundled(),
        };
        let list = Arc::new(ArcSwap::from_pointee(list));
        Ok(Self { file, list })
    }

    /// The list in force, which `refresh` swaps.
    pub fn list(&self) -> Arc<ArcSwap<DomainList>> {
        Arc::clone(&self.list)
    }

    /// Reads the file again if it was replaced since `seen`; a file that cannot be used changes
    /// nothing and is told to the log once.
    pub(crate) fn refresh(&self, seen: &mut Option<Mark>) {
        let Some(file) = &self.file else { return };
        let now = mark(file);
        if seen.replace(now) == Some(now) {
            return;
        }
        match load(file) {
            Ok(list) if list == **self.list.load() => {}
            Ok(list) => {
                tracing::info!(
                    domains = list.len(),
                    "the list of disposable domains taken up"
                );
                self.list.store(Arc::new(list));
            }
            Err(error) => {
                tracing::error!(%error, "the list of disposable domains in force stays");
            }
        }
    }
}

fn load(file: &Path) -> Result<DomainList, DisposableError> {
    let trouble = |reason: String| DisposableError {
        file: file.to_owned(),
        reason,
    };
    let size = std::fs::metadata(file).map_err(|error| trouble(error.to_string()))?;
    if size.len() > DomainList::MAX_BYTES as u64 {
        return Err(trouble("it is larger than 32 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|error| trouble(error.to_string()))?;
    DomainList::parse(&text).map_err(|problem| trouble(problem.to_string()))
}

fn mark(file: &Path) -> Mark {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.ino(), metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_place_of_the_shipped_list_and_is_read_again_when_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("domains.txt");
        std::fs::write(&file, "trash.example\n").unwrap();
        let disposable = Disposable::read(&file).unwrap();
        let covers = |name: &str| disposable.list().load().covers(name);
        assert!(covers("trash.example") && !covers("mailinator.com"));
        let mut seen = None;
        disposable.refresh(&mut seen);
        std::fs::write(&file, "other.example\nmore.example\n").unwrap();
        disposable.refresh(&mut seen);
        assert!(covers("other.example") && !covers("trash.example"));
        std::fs::write(&file, "not a domain\n").unwrap();
        disposable.refresh(&mut seen);
        assert!(covers("other.example"), "a broken file changes nothing");
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("domains.txt");
        assert!(Disposable::read(&file).is_err());
        std::fs::write(&file, "a.example\n-\n").unwrap();
        let told = Disposable::read(&file).unwrap_err().to_string();
        assert!(
            told.contains("domains.txt") && told.contains("line 2"),
            "{told}"
        );
    }

    #[test]
    fn without_a_file_the_shipped_list_is_in_force() {
        let disposable = Disposable::read(Path::new("")).unwrap();
        assert!(disposable.list().load().covers("mailinator.com"));
    }
}
