//! Sends on their way from the log to their table: what is found of them must not depend on where
//! they lie.

use std::collections::HashMap;

use postern_core::model::{AddressKey, History, Timestamp};
use postern_core::ports::{Engine as _, StoreError};

use super::{Bed, open};
use crate::connect::Tuning;
use crate::sqlite::ledger;
use crate::sqlite::tx::Tx;

/// A log of four rows, so that a few dozen sends fill and empty both many times.
fn tuning() -> Tuning {
    Tuning {
        recent_sends: 4,
        ..Tuning::default()
    }
}

fn address(number: u8) -> AddressKey {
    AddressKey([number; 16])
}

fn history(moment: i64) -> History {
    History::new(vec![Timestamp::from_micros(moment)])
}

fn send(number: u8, moment: i64) -> impl FnMut(&Tx<'_>) -> rusqlite::Result<()> + Send + 'static {
    move |tx| ledger::put_sends(tx, address(number), &history(moment))
}

impl Bed {
    async fn found(&self, number: u8) -> History {
        let read = move |tx: &Tx<'_>| ledger::sends(tx, address(number));
        self.store.writer.run(read).await.unwrap()
    }

    async fn rows(&self, sql: &'static str) -> i64 {
        let count = move |tx: &Tx<'_>| tx.conn().query_row(sql, [], |row| row.get(0));
        self.store.writer.run(count).await.unwrap()
    }

    async fn reopened(self) -> Self {
        self.store.close().await;
        let store = open(&self.dir, tuning()).unwrap().into();
        Self { store, ..self }
    }
}

#[tokio::test]
async fn the_newest_sends_of_an_address_are_found_wherever_they_lie_also_after_a_restart() {
    let mut bed = Bed::new(tuning());
    let mut expected = HashMap::new();
    for moment in 0..120_i64 {
        // A walk that comes back to some addresses soon and to others late.
        let number = u8::try_from((moment * moment + moment / 7) % 23).unwrap();
        bed.act(send(number, moment)).await.unwrap().unwrap();
        expected.insert(number, history(moment));
        if moment % 31 == 30 {
            bed = bed.reopened().await;
        }
        for (number, newest) in &expected {
            assert_eq!(bed.found(*number).await, *newest, "{number} at {moment}");
        }
    }
}

#[tokio::test]
async fn addresses_that_the_table_has_no_row_for_are_told_without_reading_it() {
    let bed = Bed::new(tuning());
    for number in 0..12 {
        bed.act(send(number, 1)).await.unwrap().unwrap();
    }
    for _ in 0..3 {
        bed.act(|_| Ok(())).await.unwrap().unwrap();
    }
    while bed.store.filter.may_hold(address(99)) {
        tokio::task::yield_now().await;
    }
    for number in 0..12 {
        assert!(bed.store.filter.may_hold(address(number)), "{number}");
    }
}

#[tokio::test]
async fn a_full_log_goes_to_the_table_and_is_emptied() {
    let bed = Bed::new(tuning());
    for number in 0..4 {
        bed.act(send(number, 1)).await.unwrap().unwrap();
    }
    assert_eq!(bed.rows("SELECT count(*) FROM address_sends").await, 0);
    bed.act(|_| Ok(())).await.unwrap().unwrap();
    assert_eq!(bed.rows("SELECT count(*) FROM address_sends").await, 4);
    assert_eq!(bed.rows("SELECT count(*) FROM recent_sends_0").await, 0);
}

#[tokio::test]
async fn a_log_that_stays_short_goes_to_the_table_after_an_hour() {
    let bed = Bed::new(Tuning::default());
    bed.act(send(1, 1)).await.unwrap().unwrap();
    bed.clock.advance(std::time::Duration::from_mins(61));
    for _ in 0..2 {
        bed.act(|_| Ok(())).await.unwrap().unwrap();
    }
    assert_eq!(bed.rows("SELECT count(*) FROM address_sends").await, 1);
    assert_eq!(bed.found(1).await, history(1));
}

#[tokio::test]
async fn what_a_failing_act_sent_does_not_count_and_its_neighbours_sends_do() {
    let bed = Bed::new(tuning());
    let held = bed.hold().await;
    let before = bed.act(send(1, 1));
    let failing = bed.act(|tx| {
        send(1, 2)(tx)?;
        send(2, 2)(tx)?;
        Err(rusqlite::Error::InvalidQuery)
    });
    let after = bed.act(send(3, 3));
    bed.gathered(3).await;
    drop(held);
    before.await.unwrap().unwrap();
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Broken(_))));
    after.await.unwrap().unwrap();
    assert_eq!(bed.found(1).await, history(1));
    assert_eq!(bed.found(2).await, History::default());
    assert_eq!(bed.found(3).await, history(3));
}

#[tokio::test]
async fn an_act_sees_what_another_of_its_group_sent() {
    let bed = Bed::new(tuning());
    let held = bed.hold().await;
    let before = bed.act(send(1, 1));
    let after = bed.act(|tx| {
        assert_eq!(ledger::sends(tx, address(1))?, history(1));
        Ok(())
    });
    bed.gathered(2).await;
    drop(held);
    before.await.unwrap().unwrap();
    after.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_failed_commit_leaves_what_the_file_says() {
    let bed = Bed::new(tuning());
    for number in 0..6 {
        bed.act(send(number, 1)).await.unwrap().unwrap();
    }
    bed.act(|tx| {
        tx.conn().execute_batch(
            "CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
        )
    })
    .await
    .unwrap()
    .unwrap();
    let failed = bed.act(|tx| {
        send(1, 9)(tx)?;
        tx.write("INSERT INTO children (parent) VALUES (7)", [])
            .map(drop)
    });
    assert!(matches!(failed.await.unwrap(), Err(StoreError::Unknown(_))));
    for number in 0..6 {
        assert_eq!(bed.found(number).await, history(1), "{number}");
    }
}
