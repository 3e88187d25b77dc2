//! What is broken, and when: a deck of all faults, shuffled by the seed, and again when it is through.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

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
const NEVER: u64 = 20_000;

/// Who breaks things.
pub(crate) struct Schedule {
    pub(crate) application: Arc<Application>,
    pub(crate) random: Random,
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
        world.inflict(fault, lasts, &mut self.random).await?;
        let end = world.at();
        let recovered = recovery(&self.application).await;
        world.clear_up(fault)?;
        let trouble = Trouble {
            fault,
            start,
            end,
            recovered,
        };
        let normal = recovered.map_or("never normal".to_owned(), |after| {
            format!("normal {after} ms later")
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

/// How long it takes until every node opens a request by both doors.
async fn recovery(application: &Application) -> Option<u64> {
    let world = &application.world;
    let start = world.at();
    while world.at() < start + NEVER {
        let mut normal = true;
        for node in 0..world.urls.len() {
            for rest in [true, false] {
                let to = format!("after{}.{node}.{rest}@example.com", world.at());
                let act = Act::Send { to, lifetime: 300 };
                let outcome = application.call(node, rest, act).await;
                normal &= matches!(outcome, Outcome::Sent(_));
            }
        }
        if normal {
            return Some(world.at() - start);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}
