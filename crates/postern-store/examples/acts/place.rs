//! Where the store is: a file in this folder, or a PostgreSQL made for the run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use postern_store::testing::SeededEntropy;
use postern_store::{DataDir, backup};
use postern_testkit::postgres::{Keeps, Postgres};

use crate::work::RealClock;

/// Where it is; what was made for it goes with the value.
pub(crate) enum Place {
    File {
        dir: DataDir,
        folder: tempfile::TempDir,
    },
    Postgres {
        server: Box<Postgres>,
        url: String,
    },
}

impl Place {
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir_in(".").expect("the folder can be written");
        let dir = DataDir::open(folder.path().join("store")).expect("the folder is free");
        Self::File { dir, folder }
    }

    /// One that commits as durably as any.
    pub(crate) fn postgres() -> Self {
        let server = Postgres::start(Keeps::Everything).expect("PostgreSQL is installed");
        let url = server.database();
        let server = Box::new(server);
        Self::Postgres { server, url }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::File { dir, .. } => dir.store_url(),
            Self::Postgres { url, .. } => url.clone(),
        }
    }

    /// The first process of the database server, where there is one.
    pub(crate) fn database(&self) -> Option<u32> {
        match self {
            Self::File { .. } => None,
            Self::Postgres { server, .. } => server.id(),
        }
    }

    /// How large the write-ahead log is on disk; how much of it a database server has ever written.
    pub(crate) fn log_bytes(&self) -> u64 {
        match self {
            Self::File { dir, .. } => size(&dir.store_file().with_extension("db-wal")),
            Self::Postgres { server, .. } => {
                asked(server, "SELECT pg_current_wal_insert_lsn() - '0/0'")
            }
        }
    }

    /// What was written of it since `before`; of a file, which begins anew, how large it is.
    pub(crate) fn log_since(&self, before: u64) -> u64 {
        match self {
            Self::File { .. } => self.log_bytes(),
            Self::Postgres { .. } => self.log_bytes() - before,
        }
    }

    /// How large the store is, apart from its log.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::File { dir, .. } => size(&dir.store_file()),
            Self::Postgres { server, .. } => {
                asked(server, "SELECT max(pg_database_size(oid)) FROM pg_database")
            }
        }
    }

    /// The store's file, and where backups of it may be put.
    pub(crate) fn store_and_folder(&self) -> (PathBuf, PathBuf) {
        let Self::File { dir, folder } = self else {
            panic!("--backup is of the embedded store");
        };
        (dir.store_file(), folder.path().to_owned())
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |meta| meta.len())
}

fn asked(server: &Postgres, sql: &str) -> u64 {
    let told = server.psql("postgres", sql).expect("it answers");
    told.trim().parse().expect("a number")
}

/// Takes one backup after the other until told to stop; how many.
pub(crate) fn backups(store: &Path, folder: &Path, stop: &AtomicBool) -> usize {
    let entropy = SeededEntropy::new(7);
    let mut taken = 0;
    while !stop.load(Ordering::Relaxed) {
        let to = folder.join("taken.backup");
        backup::take(store, &to, &RealClock, &entropy, &mut |_| {}).expect("a backup is taken");
        std::fs::remove_file(to).expect("it is ours");
        taken += 1;
    }
    taken
}
