//! Acts that are committed together, and what one of them can do to the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use postern_core::ports::{Engine as _, StoreError};

use super::{Bed, put};
use crate::connect::Tuning;
use crate::patience::Patience;

#[tokio::test]
async fn what_a_failing_act_wrote_is_undone_and_its_neighbours_stay() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let before = bed.act(put("a"));
    let failing = bed.act(|tx| {
        put("b")(tx)?;
        Err(rusqlite::Error::InvalidQuery)
    });
    let panicking = bed.act(|tx| {
        put("c")(tx)?;
        panic!("as the test wants")
    });
    let after = bed.act(put("d"));
    bed.gathered(4).await;
    drop(held);
    assert!(before.await.unwrap().is_ok() && after.await.unwrap().is_ok());
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Broken(_))));
    assert!(matches!(
        panicking.await.unwrap(),
        Err(StoreError::Broken(_))
    ));
    assert_eq!(bed.names().await, ["a", "d"]);
}

#[tokio::test]
async fn an_act_that_loses_the_groups_transaction_fails_and_the_others_run_again_alone() {
    let bed = Bed::new(Tuning::default());
    let runs = Arc::new(AtomicUsize::new(0));
    let held = bed.hold().await;
    let counted = Arc::clone(&runs);
    let before = bed.act(move |tx| {
        counted.fetch_add(1, Ordering::SeqCst);
        put("a")(tx)
    });
    let too_large = bed.act(|tx| {
        let pages: i64 = tx
            .conn()
            .query_row("PRAGMA page_count", [], |row| row.get(0))?;
        tx.conn().pragma_update(None, "max_page_count", pages + 2)?;
        tx.write(
            "INSERT INTO settings (name, value) VALUES ('b', hex(zeroblob(100000)))",
            [],
        )
        .map(drop)
    });
    let after = bed.act(put("c"));
    bed.gathered(3).await;
    drop(held);
    assert!(before.await.unwrap().is_ok() && after.await.unwrap().is_ok());
    assert!(matches!(
        too_large.await.unwrap(),
        Err(StoreError::NotDone(_))
    ));
    assert_eq!(bed.names().await, ["a", "c"]);
    // With the others, with them and a savepoint, alone.
    assert_eq!(runs.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_commit_that_fails_is_unknown_to_its_whole_group_and_the_store_goes_on_with_another_connection()
 {
    let bed = Bed::new(Tuning::default());
    bed.act(|tx| {
        tx.conn().execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
             CREATE TEMP TABLE only_on_this_connection (x)",
        )
    })
    .await
    .unwrap()
    .unwrap();
    let held = bed.hold().await;
    let beside = bed.act(put("a"));
    let orphan = bed.act(|tx| {
        tx.write("INSERT INTO children (parent) VALUES (1)", [])
            .map(drop)
    });
    bed.gathered(2).await;
    drop(held);
    for act in [beside, orphan] {
        assert!(matches!(act.await.unwrap(), Err(StoreError::Unknown(_))));
    }
    bed.act(put("b")).await.unwrap().unwrap();
    let old = bed.act(|tx| {
        tx.find("SELECT x FROM only_on_this_connection", [], |_| Ok(()))
            .map(drop)
    });
    assert!(old.await.unwrap().is_err());
    assert_eq!(bed.names().await, ["b"]);
}

#[tokio::test]
async fn past_its_bound_the_queue_refuses_at_once() {
    let bed = Bed::new(Tuning {
        queue: 2,
        ..Tuning::default()
    });
    let held = bed.hold().await;
    let accepted = [bed.act(put("a")), bed.act(put("b"))];
    bed.gathered(2).await;
    assert!(matches!(
        bed.store.writer.run(put("c")).await,
        Err(StoreError::Refused)
    ));
    drop(held);
    for act in accepted {
        act.await.unwrap().unwrap();
    }
    assert_eq!(bed.names().await, ["a", "b"]);
}

#[tokio::test]
async fn callers_who_would_wait_too_long_are_refused_and_the_house_is_not() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let accepted = [bed.act(put("a")), bed.act(put("b"))];
    bed.gathered(2).await;
    bed.store.writer.allow(2);
    assert!(matches!(
        bed.store.writer.run_soon(put("c")).await,
        Err(StoreError::Refused)
    ));
    let ours = bed.act(put("d"));
    bed.gathered(3).await;
    drop(held);
    for act in accepted.into_iter().chain([ours]) {
        act.await.unwrap().unwrap();
    }
    assert_eq!(bed.names().await, ["a", "b", "d"]);
}

#[tokio::test]
async fn callers_who_came_before_the_store_was_known_to_be_slow_are_refused_when_they_stand_far_behind()
 {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let mut acts = Vec::new();
    for (before, name) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        acts.push(bed.soon(put(name)));
        bed.gathered(before + 1).await;
    }
    bed.store.writer.allow(2);
    let last = acts.pop().unwrap().await.unwrap();
    assert!(matches!(last, Err(StoreError::Refused)), "{last:?}");
    drop(held);
    for act in acts {
        act.await.unwrap().unwrap();
    }
    assert_eq!(bed.names().await, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn closing_commits_what_was_accepted_and_refuses_what_comes_later() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let accepted = [bed.act(put("a")), bed.act(put("b"))];
    bed.gathered(2).await;
    let store = Arc::clone(&bed.store);
    let closing = tokio::spawn(async move { store.close().await });
    while bed.store.writer.lives() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(
        bed.store.writer.run(put("c")).await,
        Err(StoreError::Refused)
    ));
    drop(held);
    for act in accepted {
        act.await.unwrap().unwrap();
    }
    closing.await.unwrap();
    assert!(!bed.dir.path().join("postern.db-wal").exists());
}

#[tokio::test]
async fn an_act_that_nobody_waits_for_any_more_is_not_run() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let gone = bed.act(put("a"));
    bed.gathered(1).await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(held);
    bed.act(put("b")).await.unwrap().unwrap();
    assert_eq!(bed.names().await, ["b"]);
}

fn impatient() -> Tuning {
    let patience = Patience {
        before_commit: Duration::from_millis(50),
        for_commit: Duration::from_millis(50),
    };
    Tuning {
        patience,
        ..Tuning::default()
    }
}

#[tokio::test]
async fn a_caller_is_told_in_time_that_its_act_was_not_begun_and_it_never_is() {
    let bed = Bed::new(impatient());
    let held = bed.hold().await;
    let ours = bed.act(put("ours"));
    let told = bed.store.writer.run_soon(put("given up")).await;
    assert!(matches!(told, Err(StoreError::NotDone(_))), "{told:?}");
    assert_eq!(bed.store.writer.waiting(), 2, "the writer is still held");
    drop(held);
    ours.await.unwrap().unwrap();
    bed.act(put("after")).await.unwrap().unwrap();
    assert_eq!(bed.names().await, ["after", "ours"]);
}

#[tokio::test]
async fn a_caller_is_told_in_time_that_what_became_of_its_act_is_unknown() {
    let bed = Bed::new(impatient());
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let mut writing = put("slow");
    let slow = move |tx: &super::Tx<'_>| {
        let _ = gate.recv();
        writing(tx)
    };
    let told = bed.store.writer.run_soon(slow).await;
    assert!(matches!(told, Err(StoreError::Unknown(_))), "{told:?}");
    drop(go);
    bed.act(put("after")).await.unwrap().unwrap();
    assert_eq!(bed.names().await, ["after", "slow"]);
}
