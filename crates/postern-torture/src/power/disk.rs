//! A disk that keeps what was synced, and of the rest what it likes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::trace::{Deed, Step};
use crate::random::Random;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// How much of what was not synced is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Nothing.
    Synced,
    /// Any part of it, in any order.
    Some,
}

/// Files as they are on the disk, and what is under way to it.
pub(super) struct Disk {
    folder: String,
    files: BTreeMap<String, File>,
}

#[derive(Default)]
struct File {
    /// What a sync has brought there.
    synced: Vec<u8>,
    /// Written since, oldest first.
    since: Vec<Step>,
    /// Whether the folder says that it exists, and whether the folder's own sync has brought that there.
    exists: bool,
    listed: bool,
}

impl Disk {
    /// A disk that holds one file.
    pub(super) fn with(file: &str, content: &[u8]) -> Self {
        let folder = Path::new(file).parent().unwrap_or(Path::new("/"));
        let there = File {
            synced: content.to_vec(),
            exists: true,
            listed: true,
            ..File::default()
        };
        Self {
            folder: folder.display().to_string(),
            files: BTreeMap::from([(file.to_owned(), there)]),
        }
    }

    /// Takes what was done, as far as it had ended before the deed at `cut` began.
    pub(super) fn take(&mut self, deed: &Deed, cut: usize) {
        if deed.file == self.folder {
            let synced = deed.step == Step::Sync && deed.ended <= cut;
            self.files
                .values_mut()
                .filter(|_| synced)
                .for_each(|file| file.listed = file.exists);
            return;
        }
        let file = self.files.entry(deed.file.clone()).or_default();
        match &deed.step {
            Step::Create => file.exists = true,
            Step::Remove => file.exists = false,
            // A sync that has not ended may have done anything: nothing is said of it.
            Step::Sync if deed.ended > cut => {}
            Step::Sync => {
                let since = std::mem::take(&mut file.since);
                for step in &since {
                    apply(&mut file.synced, step);
                }
            }
            step => file.since.push(step.clone()),
        }
    }

    /// Leaves in `folder` what the disk holds after the cut.
    pub(super) fn leave(&self, folder: &Path, keeps: Keeps, random: &mut Random) -> Result<()> {
        for (path, file) in &self.files {
            let certain = file.exists == file.listed;
            let there = if certain || keeps == Keeps::Synced {
                file.listed
            } else {
                random.below(2) == 0
            };
            if !there {
                continue;
            }
            let mut content = file.synced.clone();
            if keeps == Keeps::Some {
                for step in file.since.iter().flat_map(sectors) {
                    if random.below(2) == 0 {
                        apply(&mut content, &step);
                    }
                }
            }
            let name = Path::new(path).file_name().context("a file has a name")?;
            fs::write(folder.join(name), content)?;
        }
        Ok(())
    }
}

/// A step in the pieces that a disk takes apart.
fn sectors(step: &Step) -> Vec<Step> {
    let Step::Write { at, data } = step else {
        return vec![step.clone()];
    };
    let mut pieces = Vec::new();
    let (mut from, end) = (*at, at + data.len());
    while from < end {
        let to = end.min((from / SECTOR + 1) * SECTOR);
        pieces.push(Step::Write {
            at: from,
            data: data[from - at..to - at].to_vec(),
        });
        from = to;
    }
    pieces
}

fn apply(content: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Write { at, data } => {
            let end = at + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*at..end].copy_from_slice(data);
        }
        Step::Truncate { to } => content.resize(*to, 0),
        Step::Create | Step::Sync | Step::Remove => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(file: &str, step: Step, ended: usize) -> Deed {
        Deed {
            start: 0,
            ended,
            file: file.to_owned(),
            step,
        }
    }

    fn write(at: usize, data: &[u8]) -> Step {
        let data = data.to_vec();
        Step::Write { at, data }
    }

    fn left(disk: &Disk, keeps: Keeps) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        disk.leave(folder.path(), keeps, &mut Random::new(1))
            .unwrap();
        let files = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        files
            .map(|file| {
                (
                    file.file_name().into_string().unwrap(),
                    fs::read(file.path()).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn only_what_a_sync_has_ended_for_is_kept() {
        let mut disk = Disk::with("/d/a", b"old.");
        for (number, step) in [write(0, b"new"), Step::Sync, write(3, b"?"), Step::Sync]
            .into_iter()
            .enumerate()
        {
            disk.take(
                &deed("/d/a", step, if number == 3 { 9 } else { number + 1 }),
                4,
            );
        }
        assert_eq!(left(&disk, Keeps::Synced)["a"], b"new.");
    }

    #[test]
    fn a_file_is_there_once_its_folder_was_synced() {
        let mut disk = Disk::with("/d/a", b"");
        disk.take(&deed("/d/b", Step::Create, 1), 9);
        disk.take(&deed("/d/b", Step::Sync, 1), 9);
        assert_eq!(left(&disk, Keeps::Synced).len(), 1);
        disk.take(&deed("/d", Step::Sync, 1), 9);
        assert_eq!(left(&disk, Keeps::Synced).len(), 2);
        disk.take(&deed("/d/b", Step::Remove, 1), 9);
        assert_eq!(left(&disk, Keeps::Synced).len(), 2);
    }

    #[test]
    fn what_was_not_synced_is_torn_between_sectors() {
        let mut disk = Disk::with("/d/a", &[0; 4096]);
        disk.take(&deed("/d/a", write(0, &[1; 4096]), 1), 9);
        let left = left(&disk, Keeps::Some);
        let written = left["a"]
            .chunks(SECTOR)
            .filter(|sector| sector[0] == 1)
            .count();
        assert!((1..8).contains(&written), "{written}");
        assert!(
            left["a"]
                .chunks(SECTOR)
                .all(|sector| sector.iter().all(|byte| *byte == sector[0]))
        );
    }
}
