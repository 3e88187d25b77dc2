//! Those who type their code about the moment at which it expires.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Person, SHORT};
use crate::history::{Act, Outcome};
use crate::random::Random;

/// How often such a request is opened.
const EVERY: Duration = Duration::from_millis(400);
/// How long such a request lives, and how far clocks may differ, in milliseconds.
const LIFE: u64 = SHORT * 1000;
const SKEW: u64 = 2_000;

impl Person {
    /// Opens requests that live a minute, until stopped or until what ends a minute later is no longer
    /// waited for; done when the last of them has ended.
    pub(crate) async fn come_late(mut self, stop: watch::Receiver<bool>) {
        let world = Arc::clone(&self.application.world);
        let (mut waiting, mut turn) = (JoinSet::new(), 0);
        let until = self.short_until.saturating_sub(2 * SKEW);
        while !*stop.borrow() && world.at() < until {
            turn += 1;
            let to = format!("late{}.{turn}@example.com", self.name);
            let send = Act::Send {
                to: to.clone(),
                lifetime: SHORT,
            };
            let start = world.at();
            if let Outcome::Sent(request) = self.ask(send).await {
                let moments = self.moments(start, world.at());
                let one = self.another();
                waiting.spawn(one.come_back(to, request, moments));
            }
            tokio::time::sleep(EVERY).await;
        }
        while waiting.join_next().await.is_some() {}
    }

    /// When the code of a send that began and ended then is typed: surely in time, so near the end
    /// that either answer is right, and surely too late.
    fn moments(&mut self, start: u64, end: u64) -> Vec<u64> {
        let in_time = start + LIFE - SKEW - 300 - self.random.below(2_000);
        let near = start + LIFE - SKEW + self.random.below(2 * SKEW);
        let late = end + LIFE + SKEW + 1 + self.random.below(1_000);
        match self.random.below(5) {
            0 => vec![in_time],
            1 => vec![near, late],
            _ => vec![late],
        }
    }

    async fn come_back(mut self, to: String, request: String, moments: Vec<u64>) {
        let world = Arc::clone(&self.application.world);
        for moment in moments {
            let wait = moment.saturating_sub(world.at());
            tokio::time::sleep(Duration::from_millis(wait)).await;
            let Some(mail) = world.mails_to(&to).pop() else {
                return;
            };
            self.twice(&request, &mail.code).await;
        }
    }

    fn another(&mut self) -> Self {
        Self {
            application: Arc::clone(&self.application),
            random: Random::new(self.random.below(u64::MAX)),
            name: self.name,
            ..*self
        }
    }
}
