//! What is broken, and when: a deck of all faults, shuffled by the seed, and again when it is through.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::application::Application;
use crate::history::{Act, Fault, Outcome, Trouble};
use crate::people;
use crate::random::Random;

/// Runs of at least so many minutes let the mail server be dead for longer than a credential lives,
/// first of all.
const LONG: f64 = 2.5;
/// The least lifetime of a credential, and more.
const DEAD: Duration = Duration::from_secs(70);
/// Calls of an overload.
const CROWD: usize = 300;
/// How long is waited for service to become normal before it is said that it never does.
const NEVER: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// Who breaks things.
pub(crate) struct Schedule {
    pub(crate) application: Arc<Application>,
    pub(crate) random: Random,
    /// Until when mails may be held back, because their server was in trouble.
    pub(crate) held_back_until: u64,
}

impl Schedule {
    /// Breaks one thing after the other, for so many minutes; after each, service must become normal.
    pub(crate) async fn run(mut self, minutes: f64) -> Result<Vec<Trouble>> {
        let world = Arc::clone(&self.application.world);
        let end = Duration::from_secs_f64(minutes * 60.0).as_millis() + u128::from(world.at());
        let (mut deck, mut troubles) = (self.shuffled(minutes >= LONG), Vec::new());
        let first = deck.iter().position(|fault| *fault == Fault::DeadMail);
        let last = deck.len() - 1;
        deck.swap(first.unwrap_or(last), last);
        while u128::from(world.at()) < end {
            let Some(fault) = deck.pop() else {
                deck = self.shuffled(minutes >= LONG);
                continue;
            };
            if fault == Fault::DeadMail && u128::from(world.at()) + DEAD.as_millis() > end {
                continue;
            }
            tokio::time::sleep(Duration::from_millis(300 + self.random.below(700))).await;
            troubles.push(self.trouble(fault, minutes).await?);
        }
        Ok(troubles)
    }

    async fn trouble(&mut self, fault: Fault, minutes: f64) -> Result<Trouble> {
        let world = Arc::clone(&self.application.world);
        let lasts = self.lasts(fault, minutes);
        let start = world.at();
        if fault == Fault::Overload {
            people::overload(&self.application, CROWD).await;
        }
        let mending = world.inflict(fault, lasts, &mut self.random).await?;
        let end = world.at();
        self.held_back_until = fault.mails_wait_until((start, end), self.held_back_until);
        let whole = end >= self.held_back_until;
        let recovered = recovery(&self.application, whole).await;
        world.clear_up(fault)?;
        let trouble = Trouble {
            fault,
            start,
            end,
            mending,
            recovered,
            whole,
        };
        let what = if whole { "sign-ins" } else { "sends" };
        let normal = recovered.map_or(format!("{what} never normal"), |after| {
            format!("{what} normal {after} ms later")
        });
        eprintln!("{start:>7} ms  {fault} until {end} ms, {normal}");
        Ok(trouble)
    }

    /// Up to two and a half seconds in a short run, else often longer than the nodes' timeouts.
    fn lasts(&mut self, fault: Fault, minutes: f64) -> Duration {
        if fault == Fault::DeadMail {
            return DEAD;
        }
        let most = if minutes >= LONG { 6_000 } else { 2_000 };
        Duration::from_millis(500 + self.random.below(most))
    }

    fn shuffled(&mut self, long: bool) -> Vec<Fault> {
        let mut deck = self.application.world.faults(long, &mut self.random);
        for last in (1..deck.len()).rev() {
            deck.swap(last, self.random.index(last + 1));
        }
        deck
    }
}

/// A recovery that takes longer, in milliseconds, tells where its time went.
const SLOW: u64 = 3_000;

/// How long it takes until at every node, by both doors, somebody has signed in, or only sent.
async fn recovery(application: &Arc<Application>, whole: bool) -> Option<u64> {
    let world = &application.world;
    let start = world.at();
    let mut trying = JoinSet::new();
    for node in 0..world.urls.len() {
        for rest in [true, false] {
            let application = Arc::clone(application);
            trying.spawn(async move {
                let steps = sign_in(&application, node, rest, whole).await;
                let door = if rest { "REST" } else { "gRPC" };
                let told = format!("node {node} by {door}: {}", steps.join(", "));
                (application.world.at() - start, told)
            });
        }
    }
    let mut last = (0, String::new());
    let all = async {
        while let Some(done) = trying.join_next().await {
            last = done.unwrap_or_default().max(std::mem::take(&mut last));
        }
    };
    tokio::time::timeout(NEVER, all).await.ok()?;
    if last.0 > SLOW {
        eprintln!("           {}", last.1);
    }
    Some(world.at() - start)
}

/// Sends until that is done, waits for the mail and types its code until that is done; tells when each
/// of it was.
async fn sign_in(application: &Application, node: usize, rest: bool, whole: bool) -> Vec<String> {
    let world = &application.world;
    let (start, mut steps) = (world.at(), Vec::new());
    let mut tell = |what: &str| steps.push(format!("{what} after {} ms", world.at() - start));
    let (to, request) = loop {
        let to = format!("after{}.{node}.{rest}@example.com", world.at());
        let act = Act::Send {
            to: to.clone(),
            lifetime: 300,
        };
        let outcome = application.call(node, rest, act).await;
        tell(outcome.name());
        if let Outcome::Sent(request) = outcome {
            break (to, request);
        }
        tokio::time::sleep(PAUSE).await;
    };
    if !whole {
        return steps;
    }
    loop {
        if let Some(mail) = world.mails_to(&to).pop() {
            tell("mail seen");
            let act = Act::Verify {
                request: request.clone(),
                code: mail.code,
                right: true,
            };
            let outcome = application.call(node, rest, act).await;
            tell(outcome.name());
            match outcome {
                Outcome::Verified => return steps,
                // By one that was not heard of.
                Outcome::Refused(why) if why == "AUTH_REQUEST_USED" => return steps,
                _ => {}
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
