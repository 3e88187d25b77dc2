//! kill -9 under load: what was acknowledged is there afterwards, and nothing needs repair
//! (lifecycle §8).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_testkit::process::{Plan, Server};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::caller::{Caller, error_code, text};

/// Applications that call at the same time.
const CALLERS: usize = 8;
/// After how many acknowledged acts each kill comes: early, in the middle of a busy time, late.
const KILLS: [u32; 5] = [1, 40, 9, 120, 25];
/// How often the list is gone through with `cargo xtask test --full`.
const FULL: usize = 12;

/// One auth request whose send was acknowledged.
#[derive(Clone)]
struct Acknowledged {
    to: String,
    auth_request_id: String,
    code: Option<String>,
    verify: Verify,
}

/// What is known of an auth request's verify.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verify {
    NotTried,
    Unanswered,
    Acknowledged,
}

/// Everything that was acknowledged, in all lives of the server.
#[derive(Default)]
struct Ledger(Mutex<Vec<Acknowledged>>);

impl Ledger {
    fn add(&self, to: String, auth_request_id: String) -> usize {
        let mut entries = self.0.lock().unwrap();
        entries.push(Acknowledged {
            to,
            auth_request_id,
            code: None,
            verify: Verify::NotTried,
        });
        entries.len() - 1
    }

    fn update(&self, index: usize, change: impl FnOnce(&mut Acknowledged)) {
        change(&mut self.0.lock().unwrap()[index]);
    }

    fn all(&self) -> Vec<Acknowledged> {
        self.0.lock().unwrap().clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_under_load() {
    let plan = Plan::new(env!("CARGO_BIN_EXE_postern"));
    let mut server = plan.start();
    let ledger = Arc::new(Ledger::default());
    let rounds = if std::env::var_os("FULL_TESTS").is_some() {
        FULL
    } else {
        1
    };
    for (round, acts) in KILLS.repeat(rounds).into_iter().enumerate() {
        load_until_killed(&mut server, &ledger, round, acts).await;
        server.start_again();
        audit(&server, &ledger).await;
    }
    assert!(
        server.stop().success(),
        "a server that was killed before still stops cleanly"
    );
}

/// Lets the callers work until `acts` acts are acknowledged, then kills the server in the middle
/// of what they do.
async fn load_until_killed(server: &mut Server, ledger: &Arc<Ledger>, round: usize, acts: u32) {
    let caller = Arc::new(Caller::new(server.credentials()).await);
    let acknowledged = Arc::new(Semaphore::new(0));
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (caller, ledger) = (Arc::clone(&caller), Arc::clone(ledger));
        let acknowledged = Arc::clone(&acknowledged);
        let name = format!("r{round}.c{number}");
        callers.spawn(async move { work(&caller, &ledger, &acknowledged, &name).await });
    }
    let enough =
        tokio::time::timeout(Duration::from_mins(1), acknowledged.acquire_many(acts)).await;
    enough
        .expect("the acts are acknowledged in time")
        .unwrap()
        .forget();
    server.kill();
    callers.join_all().await;
}

/// Sends, reads the mail, and verifies every second one, until the server is gone.
async fn work(caller: &Caller, ledger: &Ledger, acknowledged: &Semaphore, name: &str) {
    for turn in 0.. {
        let to = format!("{name}.{turn}@example.com");
        let Ok((status, sent)) = caller.send(&to).await else {
            return;
        };
        assert_eq!(status, 200, "{sent}");
        let id = text(&sent, "auth_request_id");
        let entry = ledger.add(to.clone(), id.clone());
        acknowledged.add_permits(1);
        let Ok(mails) = caller.mails(&to, None).await else {
            return;
        };
        let code = text(&mails[0], "otp");
        ledger.update(entry, |entry| entry.code = Some(code.clone()));
        if turn % 2 == 1 {
            continue;
        }
        ledger.update(entry, |entry| entry.verify = Verify::Unanswered);
        let Ok((status, verified)) = caller.verify(&id, &code).await else {
            return;
        };
        assert_eq!(status, 200, "{verified}");
        ledger.update(entry, |entry| entry.verify = Verify::Acknowledged);
        acknowledged.add_permits(1);
    }
}

/// Demands of the server started again everything that it ever acknowledged, and spends it.
async fn audit(server: &Server, ledger: &Ledger) {
    let caller = Caller::new(server.credentials()).await;
    for (index, entry) in ledger.all().iter().enumerate() {
        match (&entry.code, entry.verify) {
            (None, _) => by_resend(&caller, entry).await,
            (Some(code), before) => by_code(&caller, entry, code, before).await,
        }
        if entry.code.is_some() {
            ledger.update(index, |entry| entry.verify = Verify::Acknowledged);
        } else {
            // Its code is not kept, so from now on it can only be asked for again: and refused.
            ledger.update(index, |entry| {
                entry.code = Some("000000".to_owned());
                entry.verify = Verify::Acknowledged;
            });
        }
    }
}

/// A code that was read is good once, and never again once that was acknowledged.
async fn by_code(caller: &Caller, entry: &Acknowledged, code: &str, before: Verify) {
    let answer = caller.verify(&entry.auth_request_id, code).await.unwrap();
    let used = answer.0 == 400 && error_code(&answer) == "AUTH_REQUEST_USED";
    let held = match before {
        Verify::NotTried => answer.0 == 200,
        Verify::Unanswered => answer.0 == 200 || used,
        Verify::Acknowledged => used,
    };
    assert!(held, "{}: {answer:?}", entry.to);
}

/// A request whose mail nobody read is still there: it is mailed again, and the newest code is good.
async fn by_resend(caller: &Caller, entry: &Acknowledged) {
    let (status, resent) = caller.resend(&entry.auth_request_id).await.unwrap();
    assert_eq!(status, 200, "{}: {resent}", entry.to);
    let mut last = None;
    loop {
        let mails = caller.mails(&entry.to, last.as_deref()).await.unwrap();
        let mail = mails
            .first()
            .unwrap_or_else(|| panic!("no mail with a good code to {}", entry.to));
        let answer = caller
            .verify(&entry.auth_request_id, &text(mail, "otp"))
            .await
            .unwrap();
        if answer.0 == 200 {
            return;
        }
        assert_eq!(
            error_code(&answer),
            "CODE_SUPERSEDED",
            "{}: {answer:?}",
            entry.to
        );
        last = Some(text(mail, "id"));
    }
}
