//! Mails of clients, counted by acts that are committed together.

use postern_core::model::{ClientId, SecondBuckets, Timestamp};
use postern_core::ports::StoreError;
use rusqlite::Result;

use super::super::ledger;
use super::super::tx::{self, Tx};
use super::Bed;
use crate::connect::Tuning;

fn client(name: &str) -> ClientId {
    ClientId::parse(&format!("skc_{name}")).unwrap()
}

/// An act that counts one more mail of a client at that second, after it has seen as many as it expects.
fn count(name: &'static str, seen: u64) -> impl FnMut(&Tx<'_>) -> Result<()> + Send {
    move |tx| {
        let at = Timestamp::from_unix_seconds(100);
        let sends = ledger::client_sends(tx, &client(name))?;
        assert_eq!(sends.total(at), seen);
        tx.clients().put(&client(name), sends.with(at));
        // Acts that count write something else too.
        tx.write("UPDATE registry SET revision = revision", [])
            .map(drop)
    }
}

impl Bed {
    /// What the rows say.
    async fn counted(&self) -> Vec<(String, u64)> {
        let sql = "SELECT client, buckets FROM client_sends ORDER BY client";
        let read = |row: &rusqlite::Row<'_>| {
            let sends = SecondBuckets::from_bytes(row.get_ref(1)?.as_blob()?);
            Ok((row.get(0)?, sends.total(Timestamp::from_unix_seconds(100))))
        };
        let quick = &self.store.quick;
        let rows = quick.run(move |conn| tx::all(conn, sql, [], read));
        rows.await.unwrap()
    }
}

#[tokio::test]
async fn every_act_of_a_group_counts_on_from_the_one_before() {
    let bed = Bed::new(Tuning::default());
    bed.act(count("1", 0)).await.unwrap().unwrap();
    let held = bed.hold().await;
    let acts = [count("1", 1), count("2", 0), count("1", 2), count("2", 1)];
    let acts = acts.map(|act| bed.act(act));
    bed.gathered(4).await;
    drop(held);
    for act in acts {
        act.await.unwrap().unwrap();
    }
    let counted = [("skc_1".to_owned(), 3), ("skc_2".to_owned(), 2)];
    assert_eq!(bed.counted().await, counted);
}

#[tokio::test]
async fn what_a_failing_act_counted_does_not_count_and_what_its_neighbours_did_does() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let before = bed.act(count("1", 0));
    let failing = bed.act(|tx| {
        count("1", 1)(tx)?;
        count("2", 0)(tx)?;
        count("1", 2)(tx)?;
        Err(rusqlite::Error::InvalidQuery)
    });
    let after = bed.act(count("1", 1));
    bed.gathered(3).await;
    drop(held);
    before.await.unwrap().unwrap();
    assert!(matches!(failing.await.unwrap(), Err(StoreError::Broken(_))));
    after.await.unwrap().unwrap();
    assert_eq!(bed.counted().await, [("skc_1".to_owned(), 2)]);
}

#[tokio::test]
async fn a_client_that_is_removed_after_it_sent_leaves_no_count() {
    let bed = Bed::new(Tuning::default());
    let held = bed.hold().await;
    let sends = bed.act(count("1", 0));
    let removes = bed.act(|tx| {
        tx.write("DELETE FROM client_sends WHERE client = 'skc_1'", [])?;
        tx.clients().forget(&client("1"));
        Ok(())
    });
    bed.gathered(2).await;
    drop(held);
    sends.await.unwrap().unwrap();
    removes.await.unwrap().unwrap();
    assert_eq!(bed.counted().await, []);
}
