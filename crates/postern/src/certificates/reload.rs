use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::config::TlsConfig;
use crate::listen::Tls;

/// Keeps `tls` at what the files hold. Runs until it is dropped.
pub async fn follow(tls: Tls, files: TlsConfig) {
    let both = [files.certificate_file.as_path(), files.key_file.as_path()];
    let reload = || {
        tls.reload(both[0], both[1])
            .inspect(|()| tracing::info!("the changed certificate is in use"))
    };
    watch(both, files.reload_every, reload).await;
}

/// Calls `take_up` whenever one of `files` has another modification time or size than before; looks
/// every `every`. Runs until it is dropped.
///
/// A change is taken up only when two looks agree on it, so that a file being written is not read
/// halfway; when taking up fails, the next look tries again.
async fn watch(
    files: [&Path; 2],
    every: Duration,
    mut take_up: impl FnMut() -> anyhow::Result<()>,
) {
    let mut in_use = marks(files);
    let mut seen = in_use;
    let mut tick = tokio::time::interval(every);
    loop {
        tick.tick().await;
        let now = marks(files);
        let settled = now == seen;
        seen = now;
        if now == in_use || !settled {
            continue;
        }
        match take_up() {
            Ok(()) => in_use = now,
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "changed files were not taken up"
            ),
        }
    }
}

/// What tells that a file was changed: its time and its size; `None` while it is not there.
fn marks(files: [&Path; 2]) -> [Option<(SystemTime, u64)>; 2] {
    files.map(|file| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_is_taken_up_once_and_again_after_it_failed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let files = [dir.path().join("a"), dir.path().join("b")];
        fs::write(&files[0], "1").expect("writable");
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let mut calls = 0;
        let watching = watch([&files[0], &files[1]], Duration::from_secs(10), || {
            calls += 1;
            tell.send(calls).expect("the test listens");
            anyhow::ensure!(calls > 1, "not yet");
            Ok(())
        });
        let changing = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            fs::write(&files[1], "22").expect("writable");
            (
                told.recv().await,
                told.recv().await,
                tokio::time::timeout(Duration::from_mins(1), told.recv())
                    .await
                    .is_err(),
            )
        };
        tokio::select! {
            () = watching => unreachable!("a watch does not end"),
            heard = changing => assert_eq!(heard, (Some(1), Some(2), true)),
        }
    }
}
