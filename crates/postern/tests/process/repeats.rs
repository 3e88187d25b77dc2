//! A mail repeats only where the answer to it was lost or the worker died before it could settle, as
//! the same message, and never after its credential was spent (lifecycle §9).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use postern_testkit::process::{Plan, Server};
use postern_testkit::smtp::{Act, Received, SmtpServer, Step};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::caller::{Caller, text};

/// Applications that call at the same time.
const CALLERS: usize = 4;
/// After how many mails each kill comes.
const KILLS: [u64; 3] = [12, 40, 20];
/// How often the list is gone through with `cargo xtask test --full`.
const FULL: usize = 8;
/// Of the mails of one caller, whose answers are lost: two of eight, one of which is then spent at
/// once. Callers take turns, so that no row of them looks like a provider in trouble.
const LOST: [usize; 2] = [2, 5];
const OF: usize = 8;
/// Whose mails are accepted without an answer until the server is killed.
const HELD: &str = "held";

/// What the callers know, in all lives of the server.
#[derive(Default)]
struct Known {
    /// Addresses whose send was acknowledged.
    sent: BTreeSet<String>,
    /// In which life the code mailed there was spent, as far as that was acknowledged.
    spent: BTreeMap<String, usize>,
}

/// Why mails came more than once.
#[derive(Debug, Default, PartialEq, Eq)]
struct Repeats {
    answer_lost: usize,
    worker_died: usize,
}

struct World {
    smtp: SmtpServer,
    known: Mutex<Known>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_repeats_only_where_its_answer_was_lost_or_its_worker_died() {
    let world = Arc::new(World {
        smtp: SmtpServer::builder().start().await.unwrap(),
        known: Mutex::default(),
    });
    let mut server = Plan::new(env!("CARGO_BIN_EXE_postern")).start();
    connect(&server, &world.smtp);
    let rounds = if std::env::var_os("FULL_TESTS").is_some() {
        FULL
    } else {
        1
    };
    let mut lives = Vec::new();
    for (life, mails) in KILLS.repeat(rounds).into_iter().enumerate() {
        load_until_killed(&mut server, &world, life, mails).await;
        lives.push(world.smtp.connections());
        server.start_again();
    }
    settle(&server).await;
    let repeats = world.judge(&lives);
    let known = world.known.lock().unwrap();
    println!(
        "{} mails, {} of them spent at once: {repeats:?}",
        known.sent.len(),
        known.spent.len()
    );
    assert!(repeats.worker_died >= lives.len(), "{repeats:?}");
    assert!(repeats.answer_lost > 0, "{repeats:?}");
}

fn connect(server: &Server, smtp: &SmtpServer) {
    let port = smtp.addr().port().to_string();
    let host = ["--host", "127.0.0.1", "--port", &port, "--tls", "none"];
    let mut words = vec![
        "mail",
        "provider",
        "add",
        "main",
        "--from",
        "login@example.com",
    ];
    words.extend(host);
    let added = server.admin(&words);
    let said = String::from_utf8_lossy(&added.stderr);
    assert!(added.status.success(), "{said}");
}

/// Lets the callers work until so many more mails came, then has one mail accepted whose answer is
/// held back, and kills the server while it waits.
async fn load_until_killed(server: &mut Server, world: &Arc<World>, life: usize, mails: u64) {
    let caller = Arc::new(Caller::new(server.credentials()).await);
    let (end, ended) = watch::channel(false);
    let wanted = world.smtp.count() + mails;
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let (caller, world, ended) = (Arc::clone(&caller), Arc::clone(world), ended.clone());
        callers.spawn(async move { world.work(&caller, number, life, ended).await });
    }
    world.smtp.wait_for(wanted).await;
    let held = format!("{HELD}{life}@example.com");
    world
        .smtp
        .once_for(&held, Step::EndOfData, Act::AcceptAndSilence);
    let (status, _) = caller.send(&held).await.unwrap();
    assert_eq!(status, 200);
    world.known.lock().unwrap().sent.insert(held.clone());
    world.smtp.wait_for_mail_to(&held).await;
    server.kill();
    end.send_replace(true);
    callers.join_all().await;
}

/// Waits until no mail is queued any more.
async fn settle(server: &Server) {
    for _ in 0..240 {
        let listed = server.admin(&["delivery", "list", "--state", "queued", "--json"]);
        if listed.stdout.starts_with(b"[]") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    panic!("mails are still queued after a minute");
}

impl World {
    /// Sends, and spends every second code as soon as it came, until the server is gone.
    async fn work(
        &self,
        caller: &Caller,
        number: usize,
        life: usize,
        mut ended: watch::Receiver<bool>,
    ) {
        for turn in 0.. {
            let to = format!("l{life}.c{number}.{turn}@example.com");
            if LOST.contains(&((turn + 2 * number) % OF)) {
                self.smtp.once_for(&to, Step::EndOfData, Act::AcceptAndDrop);
            }
            let Ok((status, sent)) = caller.send(&to).await else {
                return;
            };
            assert_eq!(status, 200, "{sent}");
            self.known.lock().unwrap().sent.insert(to.clone());
            let mail = tokio::select! {
                mail = self.smtp.wait_for_mail_to(&to) => mail,
                _ = ended.wait_for(|over| *over) => return,
            };
            if turn % 2 == 0 {
                continue;
            }
            let id = text(&sent, "auth_request_id");
            let Ok((status, verified)) = caller.verify(&id, &code_of(&mail)).await else {
                return;
            };
            assert_eq!(status, 200, "{verified}");
            self.known.lock().unwrap().spent.insert(to, life);
        }
    }

    /// Looks at everything that came. `lives` has the number of the last connection of each life.
    fn judge(&self, lives: &[u64]) -> Repeats {
        let life_of =
            |mail: &Received| lives.iter().filter(|last| mail.connection > **last).count();
        let mut by_person: BTreeMap<String, Vec<Received>> = BTreeMap::new();
        for mail in self.smtp.received() {
            by_person.entry(mail.to[0].clone()).or_default().push(mail);
        }
        let known = self.known.lock().unwrap();
        let mut repeats = Repeats::default();
        for to in &known.sent {
            let came = by_person
                .get(to)
                .unwrap_or_else(|| panic!("no mail to {to}"));
            for (earlier, later) in came.iter().zip(&came[1..]) {
                assert_eq!(message_id(earlier), message_id(later), "{to}");
                if !earlier.answered && !to.starts_with(HELD) {
                    repeats.answer_lost += 1;
                } else {
                    let died = life_of(earlier) < life_of(later);
                    assert!(died, "{to}: repeated without a reason");
                    repeats.worker_died += 1;
                }
                let spent = known.spent.get(to);
                let too_late = spent.is_some_and(|life| life_of(later) > *life);
                assert!(!too_late, "{to}: mailed in a life after its code was spent");
            }
        }
        repeats
    }
}

fn message_id(mail: &Received) -> String {
    header(mail, "Message-ID: ")
}

/// The six digits in a mail's subject.
fn code_of(mail: &Received) -> String {
    let subject = header(mail, "Subject: ");
    let mut words = subject.split(|c: char| !c.is_ascii_digit());
    let code = words.find(|word| word.len() == 6);
    code.expect("a code in the subject").to_owned()
}

fn header(mail: &Received, name: &str) -> String {
    let text = String::from_utf8_lossy(&mail.data);
    let found = text.lines().find_map(|line| line.strip_prefix(name));
    found.expect("the mail has this header").to_owned()
}
