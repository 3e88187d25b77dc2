//! A process that is killed in the middle of its work loses nothing that it had answered.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use postern_core::model::{AuthRequestId, NodeId};
use postern_core::ports::Engine;
use postern_core::settings::Settings;
use postern_store::contract::{accept, address, issue_of, opening};
use postern_store::testing::FrozenClock;
use postern_store::{DataDir, Tuning, connect};

const FOLDER: &str = "POSTERN_CRASH_TEST_FOLDER";

async fn engine(folder: &Path) -> (DataDir, Arc<dyn Engine>) {
    let dir = DataDir::open(folder).unwrap();
    let clock = Arc::new(FrozenClock::default());
    let engine = connect(&dir.store_url(), NodeId([1; 8]), clock, Tuning::default())
        .await
        .unwrap();
    (dir, engine)
}

fn id(n: u32) -> AuthRequestId {
    let mut bytes = *AuthRequestId::floor(postern_core::model::Timestamp::from_unix_seconds(
        1_800_000_000,
    ))
    .as_bytes();
    bytes[12..].copy_from_slice(&n.to_be_bytes());
    AuthRequestId::from_bytes(bytes)
}

/// Sends and redeems without end, and says what was answered. Does nothing unless the other test
/// starts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let (_dir, engine) = engine(folder.as_ref()).await;
    let callers: Vec<_> = (0..16_u32)
        .map(|caller| {
            let engine = Arc::clone(&engine);
            tokio::spawn(async move {
                for n in (caller..u32::MAX).step_by(16) {
                    let address = address(&format!("a{n}"));
                    let opening = opening(issue_of(id(n), &address), Settings::default(), None);
                    engine
                        .open_auth_request(opening)
                        .await
                        .unwrap()
                        .outcome
                        .unwrap();
                    say(&format!("sent {n}"));
                    engine
                        .redeem(id(n), true, accept())
                        .await
                        .unwrap()
                        .outcome
                        .unwrap();
                    say(&format!("used {n}"));
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_answered() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let answered = killed_after(folder.path(), 400 * round);
        let (_dir, engine) = engine(folder.path()).await;
        for line in &answered {
            let (what, n) = line.split_once(' ').unwrap();
            let found = engine
                .find_auth_request(id(n.parse().unwrap()))
                .await
                .unwrap();
            let state = found.unwrap_or_else(|| panic!("{line}, and is gone")).state;
            assert!(
                what == "sent" || matches!(state, postern_core::model::State::Used(_)),
                "{line}, and is {state:?}"
            );
        }
        engine.forget_address(&address("nobody")).await.unwrap();
        engine.close().await;
        std::fs::remove_file(folder.path().join("postern.db")).unwrap();
    }
}

/// Starts the other test as a process, kills it after so many answers, and tells what it answered.
fn killed_after(folder: &Path, answers: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["the_process_that_is_killed", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut lines = lines.filter(|line| line.starts_with("sent ") || line.starts_with("used "));
    let mut answered: Vec<_> = lines.by_ref().take(answers).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    answered.extend(lines);
    assert!(answered.len() >= answers);
    answered
}
