//! Live requests put into a store beforehand, by the server's own send and at its own speed.

use std::{
    cell::Cell,
    path::Path,
    rc::Rc,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use arc_swap::ArcSwap;
use postern_core::{
    flow::{Parts, Postern, SendInput},
    keyring::{Keyring, RootSecret},
    model::{Caller, Email, Languages, MailKind, NodeId, Settlement, Timestamp, Variables},
    ports::{Clock, Entropy, Settled, Templates, random},
    settings::Settings,
};
use postern_store::{DataDir, Tuning, connect};
use tokio::task::JoinSet;

use crate::{drive, watch};

/// What one group commit takes at most.
const CALLERS: usize = 256;
/// The longest that a request may live, so that all are live when the last is in.
const LIFETIME_SECONDS: u32 = 3600;

/// Puts `count` live requests, their mails sent and all of it taken into the log, into a stopped
/// server's data: in its own file, or in the database of that URL. Those that are spread `over` a time
/// up to now are live no more, but for the newest.
pub(crate) async fn fill(
    data: &Path,
    database: Option<&str>,
    count: u64,
    over: Duration,
) -> anyhow::Result<()> {
    let held = DataDir::open(data)?;
    let world = Arc::new(World::default());
    let node = NodeId(random(&*world));
    let url = database.map_or_else(|| held.store_url(), ToOwned::to_owned);
    let store = connect(&url, node, world.clone(), Tuning::default()).await?;
    let snapshot = store.snapshot().await?;
    let client = snapshot
        .clients
        .keys()
        .next()
        .context("the data has no client")?;
    let caller = Caller::new(client.clone());
    // What is filled in is never verified, so any root will do.
    let keyring = Keyring::new(&[(1, RootSecret::new(random(&*world)))], 1)?;
    let postern = Postern::new(Parts {
        store: store.clone(),
        clock: world.clone(),
        entropy: world.clone(),
        templates: world.clone(),
        keyring: Arc::new(ArcSwap::from_pointee(keyring)),
        snapshot: Arc::new(ArcSwap::from_pointee(snapshot)),
        disposable: Arc::new(ArcSwap::from_pointee(
            postern_core::model::DomainList::bundled(),
        )),
        inbox: true,
    });
    let goes = move |number| {
        let left = u128::from(count.saturating_sub(number));
        world.goes_to(over.as_micros() * left / u128::from(count.max(1)));
    };
    send_all(Rc::new(postern), Rc::new(caller), count, goes).await?;
    // Else the server would do that during the rounds, and each call would seem to pay for it.
    while store.project().await? {}
    store.close().await;
    Ok(())
}

/// Sends so many; before each, `goes` is told its number.
async fn send_all(
    postern: Rc<Postern>,
    caller: Rc<Caller>,
    count: u64,
    goes: impl Fn(u64) + Clone + 'static,
) -> anyhow::Result<()> {
    let run = Rc::new(watch::run_tag());
    let taken = Rc::new(Cell::new(0));
    let mut sending = JoinSet::new();
    for _ in 0..CALLERS {
        let (postern, caller) = (Rc::clone(&postern), Rc::clone(&caller));
        let (run, taken, goes) = (Rc::clone(&run), Rc::clone(&taken), goes.clone());
        sending.spawn_local(async move {
            while taken.get() < count {
                let number = taken.replace(taken.get() + 1);
                goes(number);
                let address = drive::address(&run, number);
                send(&postern, &caller, address, fate(number)).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = sending.join_next().await {
        done??;
    }
    Ok(())
}

/// What became of the mail: one in a hundred is refused.
fn fate(number: u64) -> Settlement {
    let provider = "prefill".to_owned();
    if number % 100 == 99 {
        let reply = "550 5.7.1 refused".to_owned();
        return Settlement::Bounced { provider, reply };
    }
    let reply = "250 2.0.0 Ok".to_owned();
    Settlement::Sent { provider, reply }
}

async fn send(
    postern: &Postern,
    caller: &Caller,
    address: String,
    settlement: Settlement,
) -> anyhow::Result<()> {
    let key = Email::parse(&address)?.key();
    let input = SendInput {
        email: address,
        expires_in: Some(LIFETIME_SECONDS),
        ..SendInput::default()
    };
    let receipt = postern.send(caller, input).await?;
    let settled = Settled {
        id: receipt.delivery,
        client: caller.client.clone(),
        address: key,
        tries: Vec::new(),
        settlement,
    };
    Ok(postern.store().settle_delivery(settled).await?)
}

/// The time, the randomness and the templates of this program.
#[derive(Default)]
struct World {
    /// By how many microseconds its time is behind.
    behind: AtomicU64,
}

impl World {
    /// Goes back to so many microseconds ago.
    fn goes_to(&self, ago: u128) {
        let micros = u64::try_from(ago).unwrap_or(0);
        self.behind.store(micros, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
impl Clock for World {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let behind = Duration::from_micros(self.behind.load(Ordering::Relaxed));
        let since = since.unwrap_or_default().saturating_sub(behind);
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the randomness")]
impl Entropy for World {
    fn fill(&self, out: &mut [u8]) {
        aws_lc_rs::rand::fill(out).expect("the system gives randomness");
    }
}

impl Templates for World {
    fn missing(&self, _: MailKind, _: &Languages, _: &Variables, _: &Settings) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use postern_core::{
        model::{Client, ClientId},
        ports::{Amendment, Engine, LogQuery},
    };

    use super::*;

    async fn opened(held: &DataDir) -> Arc<dyn Engine> {
        let (url, tuning) = (held.store_url(), Tuning::default());
        let store = connect(&url, NodeId([1; 8]), Arc::new(World::default()), tuning).await;
        store.unwrap()
    }

    #[tokio::test(flavor = "local")]
    async fn what_is_filled_in_waits_for_no_mail() {
        let home = tempfile::tempdir().unwrap();
        let held = DataDir::open(home.path()).unwrap();
        let store = opened(&held).await;
        let add = |_: &_, now| {
            let client = Client {
                id: ClientId::new([1; 8]),
                name: "bench".to_owned(),
                created_at: now,
                secrets: Vec::new(),
            };
            Ok(vec![Amendment::PutClient(client)])
        };
        store.amend(Box::new(add)).await.unwrap().unwrap();
        store.close().await;
        held.release().unwrap();

        fill(home.path(), None, 100, Duration::ZERO).await.unwrap();

        let held = DataDir::open(home.path()).unwrap();
        let store = opened(&held).await;
        assert_eq!(store.outbox().await.unwrap().depth, 0);
        let query = LogQuery {
            limit: 1,
            ..LogQuery::default()
        };
        let logged = store.log(query).await.unwrap();
        assert_eq!(logged.total, 100);
        let lost = LogQuery {
            limit: 1,
            lost: true,
            ..LogQuery::default()
        };
        assert_eq!(store.log(lost).await.unwrap().total, 1);
        assert_eq!(store.kids_in_use().await.unwrap(), [1]);
    }
}
