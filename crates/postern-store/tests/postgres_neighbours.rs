//! Acts that share a transaction of PostgreSQL with one that fails: it fails by itself, or is tried until
//! it is done, and its neighbours are done.
#![expect(
    clippy::unwrap_used,
    reason = "the functions beside the tests are theirs"
)]

use std::sync::Arc;
use std::time::Duration;

use postern_core::model::{AuthRequestId, Outgoing, State, UsedBy};
use postern_core::ports::{Decision, Engine, StoreError};
use postern_core::settings::Settings;
use postern_store::contract::{
    accept, address, first, found, issue, issue_of, opening, send_many, sent, settled, told,
};
use postern_store::testing::TempStore;
use postern_store::{Patience, PostgresTuning, Tuning};
use postern_testkit::postgres::Postgres;
use tokio_postgres::{Client, NoTls};

/// So long that no test sees its end.
const NEVER: Duration = Duration::from_mins(10);

/// A store whose one writer waits for whatever holds it up, and the URL of its database.
async fn patient() -> (TempStore, String) {
    let url = Postgres::shared().database();
    let tuning = Tuning {
        patience: Patience {
            before_commit: NEVER,
            for_commit: NEVER,
        },
        postgres: PostgresTuning {
            writers: 1,
            statement_timeout: NEVER,
            lock_timeout: NEVER,
            ..PostgresTuning::default()
        },
        ..Tuning::default()
    };
    (TempStore::at(Some(url.clone()), tuning).await, url)
}

/// A session of somebody else.
async fn outside(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap();
}

/// The one number that this answers.
async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Runs these at once. With one thread all of them stand in the line before the writer looks, so it takes
/// them together.
async fn together<T, F>(acts: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = acts.into_iter().map(tokio::spawn).collect();
    let mut ended = Vec::new();
    for act in running {
        ended.push(act.await.unwrap());
    }
    ended
}

type Sent = Result<Decision, StoreError>;

/// A second send to each address of [`send_many`], and the ids of what they open.
fn second_sends(
    store: &TempStore,
    count: u16,
) -> (
    Vec<AuthRequestId>,
    Vec<impl Future<Output = Sent> + Send + use<>>,
) {
    let sends = (0..count).map(|n| {
        let issue = issue(store, 100 + n, &address(&format!("a{n}")));
        let (id, engine) = (issue.id, Arc::clone(&store.engine));
        let opening = opening(issue, Settings::default(), None);
        (id, async move { engine.open_auth_request(opening).await })
    });
    sends.unzip()
}

/// Each was opened once, and counted once after the one of before.
async fn assert_opened(store: &TempStore, look: &Client, ids: &[AuthRequestId]) {
    for id in ids {
        assert_eq!(told(store, *id).await, ["initiated", "mail_queued"]);
    }
    let twice = "SELECT count(*) FROM address_sends WHERE version = 2";
    assert_eq!(
        usize::try_from(number(look, twice).await).unwrap(),
        ids.len()
    );
}

/// In how many transactions these rows were written.
async fn transactions(look: &Client, rows: &str) -> i64 {
    number(
        look,
        &format!("SELECT count(DISTINCT xmin::text) FROM {rows}"),
    )
    .await
}

/// Waits until so many sessions of this database wait for a lock.
async fn waiting(look: &Client, many: i64) {
    let sql = "SELECT count(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while number(look, sql).await != many {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_deadlock_with_somebody_else_costs_no_act_of_a_batch_its_outcome() {
    let (store, url) = patient().await;
    send_many(&store, 10).await;
    let (look, other, third) = (
        outside(&url).await,
        outside(&url).await,
        outside(&url).await,
    );
    let rows = "SELECT address::text FROM address_sends ORDER BY address";
    let rows = look.query(rows, &[]).await.unwrap();
    let hold = |row: usize| {
        let address: &str = rows[row].get(0);
        format!("SELECT 1 FROM address_sends WHERE address = '{address}' FOR UPDATE")
    };
    // It does not look for deadlocks, so the batch is the one that is ended.
    run(&other, "SET deadlock_timeout = '10min'; BEGIN").await;
    run(&other, &hold(9)).await;
    run(&third, "BEGIN").await;
    run(&third, &hold(5)).await;
    let (ids, sends) = second_sends(&store, 10);
    let sends = tokio::spawn(together(sends));
    waiting(&look, 1).await;
    let first = hold(0);
    let taking = async { run(&other, &first).await };
    let closing = async {
        waiting(&look, 2).await;
        // The batch has the first row, gets this one, and comes to the last: the ring is closed.
        run(&third, "ROLLBACK").await;
    };
    tokio::join!(taking, closing);
    // The other one has both: the batch had to let go of the first without getting the last.
    assert!(!sends.is_finished());
    run(&other, "COMMIT").await;
    for sent in sends.await.unwrap() {
        sent.unwrap().outcome.unwrap();
    }
    assert_opened(&store, &look, &ids).await;
    let opened = "(SELECT xmin FROM auth_requests ORDER BY id DESC LIMIT 10) AS opened";
    let judged = transactions(&look, opened).await;
    assert_eq!(judged, 1, "they were judged again together");
}

/// Makes the database refuse the requests of one address with this SQLSTATE, so many times.
async fn refuse(look: &Client, name: &str, code: &str, times: u32) {
    let sql = format!(
        "CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('tries') <= {times} THEN RAISE 'as the test wants' USING ERRCODE = '{code}'; END IF; \
         RETURN NEW; END $$; CREATE TRIGGER refuse BEFORE INSERT ON auth_requests FOR EACH ROW \
         WHEN (NEW.address = '{name}@example.com') EXECUTE FUNCTION refuse()"
    );
    run(look, &sql).await;
}

#[tokio::test]
async fn a_serialisation_failure_or_a_deadlock_that_ends_is_tried_again_until_the_act_is_done() {
    for code in ["40001", "40P01"] {
        let (store, url) = patient().await;
        let look = outside(&url).await;
        send_many(&store, 10).await;
        // Past the tries of the batch, so that the act itself is tried again.
        refuse(&look, "a3", code, 5).await;
        let (ids, sends) = second_sends(&store, 10);
        for sent in together(sends).await {
            sent.unwrap().outcome.unwrap();
        }
        assert_opened(&store, &look, &ids).await;
        assert_eq!(number(&look, "SELECT last_value FROM tries").await, 6);
    }
}

#[tokio::test]
async fn an_act_that_the_database_refuses_for_ever_fails_by_itself_and_is_not_half_done() {
    for code in ["40001", "40P01", "23514", "22P02", "54000", "XX000"] {
        let (store, url) = patient().await;
        let look = outside(&url).await;
        send_many(&store, 10).await;
        refuse(&look, "a3", code, u32::MAX).await;
        let (mut ids, sends) = second_sends(&store, 10);
        let mut ended = together(sends).await;
        let (refused, lost) = (ended.remove(3).unwrap_err(), ids.remove(3));
        let may_be_repeated = matches!(refused, StoreError::NotDone(_));
        let as_told = code.starts_with("40") == may_be_repeated;
        assert!(
            as_told && !matches!(refused, StoreError::Unknown(_)),
            "{code}: {refused:?}"
        );
        for sent in ended {
            sent.unwrap().outcome.unwrap();
        }
        assert_opened(&store, &look, &ids).await;
        assert_eq!(store.engine.find_auth_request(lost).await.unwrap(), None);
        assert!(store.timeline(lost).await.is_empty());
    }
}

#[tokio::test]
async fn of_ten_sends_the_one_whose_id_is_taken_fails_by_itself() {
    let (store, url) = patient().await;
    let look = outside(&url).await;
    let before = send_many(&store, 10).await;
    let (ids, sends) = second_sends(&store, 9);
    let engine = Arc::clone(&store.engine);
    let taken = opening(
        issue_of(before[0], &address("a9")),
        Settings::default(),
        None,
    );
    let taken = async move { engine.open_auth_request(taken).await };
    let (others, taken) = tokio::join!(together(sends), together([taken]));
    assert!(
        matches!(taken[..], [Err(StoreError::Broken(_))]),
        "{taken:?}"
    );
    for sent in others {
        sent.unwrap().outcome.unwrap();
    }
    assert_opened(&store, &look, &ids).await;
}

/// An id as the database writes it.
fn uuid(id: AuthRequestId) -> String {
    format!("{:032x}", u128::from_be_bytes(*id.as_bytes()))
}

/// Leaves a state in the row of that request that no release ever wrote.
async fn spoil(client: &Client, table: &str, column: &str, id: AuthRequestId) {
    let id = uuid(id);
    let sql = format!("UPDATE {table} SET state = 99 WHERE {column} = '{id}'");
    run(client, &sql).await;
}

fn assert_broken<T: std::fmt::Debug>(ended: &Result<T, StoreError>) {
    assert!(matches!(ended, Err(StoreError::Broken(_))), "{ended:?}");
}

#[tokio::test]
async fn of_ten_proofs_the_one_whose_row_does_not_read_fails_by_itself_and_the_nine_are_one_commit()
{
    let (store, url) = patient().await;
    let look = outside(&url).await;
    let ids = send_many(&store, 10).await;
    spoil(&look, "auth_requests", "id", ids[4]).await;
    let redeem = |id: AuthRequestId, engine: Arc<dyn Engine>| async move {
        engine.redeem(id, false, accept()).await
    };
    let mut ended = together(ids.iter().map(|id| redeem(*id, Arc::clone(&store.engine)))).await;
    assert_broken(&ended.remove(4));
    for redeemed in ended {
        redeemed.unwrap().outcome.unwrap();
    }
    for id in ids.iter().filter(|id| **id != ids[4]) {
        assert_eq!(found(&store, *id).await.state, State::Used(UsedBy::Code));
    }
    assert_eq!(
        transactions(&look, "auth_requests WHERE state = 1").await,
        1
    );
}

#[tokio::test]
async fn of_ten_mails_the_one_whose_row_does_not_read_fails_by_itself() {
    let (store, url) = patient().await;
    let look = outside(&url).await;
    let ids = send_many(&store, 10).await;
    spoil(&look, "deliveries", "request_id", ids[4]).await;
    let settle = |id: AuthRequestId, engine: Arc<dyn Engine>| async move {
        engine.settle_delivery(settled(id, sent())).await
    };
    let mut ended = together(ids.iter().map(|id| settle(*id, Arc::clone(&store.engine)))).await;
    assert_broken(&ended.remove(4));
    assert!(ended.iter().all(Result::is_ok), "{ended:?}");
    for id in ids.iter().filter(|id| **id != ids[4]) {
        assert_eq!(told(&store, *id).await.len(), 3);
    }
}

/// Reads the first mails of these requests, all at once.
async fn read(
    store: &TempStore,
    ids: &[AuthRequestId],
) -> Vec<Result<Option<Outgoing>, StoreError>> {
    let one = |id: AuthRequestId, engine: Arc<dyn Engine>| async move {
        engine.find_outgoing(first(id)).await
    };
    together(ids.iter().map(|id| one(*id, Arc::clone(&store.engine)))).await
}

#[tokio::test]
async fn a_mail_that_the_database_itself_cannot_read_keeps_no_other_from_being_read() {
    let (store, url) = patient().await;
    let look = outside(&url).await;
    let ids = send_many(&store, 10).await;
    let failing = format!(
        "ALTER TABLE deliveries RENAME TO whole; CREATE VIEW deliveries AS SELECT request_id, ordinal, \
         CASE WHEN request_id = '{}' THEN 1 / ordinal ELSE generation END AS generation, \
         state, attempts, queued_at, due_at, node, provider, fault, in_a_row FROM whole",
        uuid(ids[4])
    );
    run(&look, &failing).await;
    let mut ended = read(&store, &ids).await;
    assert_broken(&ended.remove(4));
    for found in ended {
        assert!(found.unwrap().is_some());
    }
}

#[tokio::test]
async fn of_ten_mails_that_are_read_together_each_is_its_own_and_the_one_that_does_not_read_fails_by_itself()
 {
    let (store, url) = patient().await;
    let look = outside(&url).await;
    let ids = send_many(&store, 10).await;
    spoil(&look, "auth_requests", "id", ids[4]).await;
    let nowhere = AuthRequestId::from_bytes([9; 16]);
    let asked: Vec<_> = ids.iter().copied().chain([nowhere, ids[0]]).collect();
    let mut ended = read(&store, &asked).await;
    assert_broken(&ended.remove(4));
    let found: Vec<_> = ended
        .into_iter()
        .map(|one| Some(one.unwrap()?.request.id))
        .collect();
    let others = asked.iter().filter(|id| **id != ids[4]);
    let expected: Vec<_> = others.map(|id| (*id != nowhere).then_some(*id)).collect();
    assert_eq!(found, expected);
}
