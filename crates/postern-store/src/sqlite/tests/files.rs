//! The files that a store leaves.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use postern_core::ports::Engine as _;

use super::{Bed, open, put};
use crate::connect::{Checkpoints, ConnectError, Tuning};

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let bed = Bed::new(Tuning::default());
    bed.act(put("a")).await.unwrap().unwrap();
    for name in ["postern.db", "postern.db-wal", "postern.db-shm"] {
        let mode = bed
            .dir
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn the_log_stays_short_whatever_is_written() {
    for every in [None, Some(Duration::from_millis(1))] {
        let checkpoints = Checkpoints { every, frames: 16 };
        let bed = Bed::new(Tuning {
            checkpoints,
            ..Tuning::default()
        });
        for _ in 0..300 {
            bed.act(|tx| {
                tx.write("UPDATE registry SET revision = revision + 1", [])
                    .map(drop)
            })
            .await
            .unwrap()
            .unwrap();
        }
        let bytes = bed
            .dir
            .path()
            .join("postern.db-wal")
            .metadata()
            .unwrap()
            .len();
        assert!(bytes < 128 * 4096, "{bytes} bytes of log");
        bed.store.close().await;
    }
}

#[tokio::test]
async fn a_store_of_a_newer_release_is_refused_and_left_alone() {
    let bed = Bed::new(Tuning::default());
    bed.act(|tx| {
        tx.write(
            "INSERT INTO schema_migrations VALUES (7000, 'later', x'00', 0)",
            [],
        )
        .map(drop)
    })
    .await
    .unwrap()
    .unwrap();
    bed.store.close().await;
    let refused = open(&bed.dir, Tuning::default()).err().unwrap();
    assert!(
        matches!(refused, ConnectError::Newer { found: 7000, .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("newer release"), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_store_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("postern.db"), [7; 8192]).unwrap();
    assert!(matches!(
        open(&dir, Tuning::default()).err(),
        Some(ConnectError::Engine(_))
    ));
}
