mod late;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::application::Application;
use crate::history::{Act, Outcome};
use crate::random::Random;

/// How long most requests live, in seconds: longer than a mail may be late, so that none is excused.
const LIFETIME: u64 = 300;
/// How long those live that are to expire: the least there is.
const SHORT: u64 = 60;

/// Moments are told in milliseconds: what comes in the same one is not known to come later.
const SURELY_LATER: Duration = Duration::from_millis(2);

/// Somebody who uses what is tortured, until told to stop.
pub(crate) struct Person {
    pub(crate) application: Arc<Application>,
    pub(crate) random: Random,
    pub(crate) name: usize,
    /// Until when requests may be opened that live for a minute: what becomes of them is waited for.
    pub(crate) short_until: u64,
}

impl Person {
    /// Signs in over and over, in all the ways that people do.
    pub(crate) async fn live(mut self, stop: watch::Receiver<bool>) {
        let mut turn = 0;
        while !*stop.borrow() {
            turn += 1;
            if turn % 16 == 1 {
                self.die_unmailed(turn).await;
            }
            let to = self.address(turn);
            let lifetime = self.lifetime(&to);
            let send = Act::Send {
                to: to.clone(),
                lifetime,
            };
            let Outcome::Sent(request) = self.ask(send).await else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            match self.random.below(8) {
                0 => {}
                1 => self.exhaust(&to, &request).await,
                2 => self.resend(&to, &request).await,
                3 => {
                    let wrong = self.random.below(4);
                    self.guess(&request, wrong).await;
                    self.sign_in(&to, &request).await;
                }
                _ => self.sign_in(&to, &request).await,
            }
        }
    }

    /// Guesses at codes of a few addresses, two requests and all nodes at once, until stopped.
    pub(crate) async fn burgle(mut self, stop: watch::Receiver<bool>) {
        let mut turn = 0;
        while !*stop.borrow() {
            turn += u64::from(self.random.below(3) > 0);
            let victim = self.random.below(turn + 1).max(turn.saturating_sub(1));
            let to = format!("victim{victim}@example.com");
            let mut guesses = JoinSet::new();
            for _ in 0..2 {
                let send = Act::Send {
                    to: to.clone(),
                    lifetime: LIFETIME,
                };
                let Outcome::Sent(request) = self.ask(send).await else {
                    continue;
                };
                for _ in 0..6 {
                    let (node, rest) = self.door();
                    let act = self.wrong(&request);
                    let application = Arc::clone(&self.application);
                    guesses.spawn(async move { application.call(node, rest, act).await });
                }
            }
            while guesses.join_next().await.is_some() {}
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Mostly an address of its own; else one that all share, or whose mailbox does not exist, or
    /// whose server takes nothing.
    fn address(&mut self, turn: u64) -> String {
        let (name, world) = (self.name, &self.application.world);
        match self.random.below(40) {
            0..9 => format!("shared{}@example.com", self.random.below(6)),
            9 => {
                let to = format!("nobody{name}.{turn}@example.com");
                world.refuse_mail_to(&to, 550, "5.1.1 no such mailbox");
                to
            }
            10 if world.at() < self.short_until => {
                let to = format!("doomed{name}.{turn}@example.com");
                world.refuse_mail_to(&to, 451, "4.3.0 not now");
                to
            }
            _ => format!("p{name}.{turn}@example.com"),
        }
    }

    /// Some ordinary ones live for a minute too, so that a mail server can be dead for longer.
    fn lifetime(&mut self, to: &str) -> u64 {
        let short = to.starts_with("doomed")
            || to.starts_with('p')
                && self.application.world.at() < self.short_until
                && self.random.below(4) == 0;
        if short { SHORT } else { LIFETIME }
    }

    fn door(&mut self) -> (usize, bool) {
        let node = self.random.index(self.application.world.urls.len());
        (node, self.random.below(2) == 0)
    }

    async fn ask(&mut self, act: Act) -> Outcome {
        let (node, rest) = self.door();
        self.application.call(node, rest, act).await
    }

    fn wrong(&mut self, request: &str) -> Act {
        Act::Verify {
            request: request.to_owned(),
            code: format!("{:010}", self.random.below(10_000_000_000)),
            right: false,
        }
    }

    async fn guess(&mut self, request: &str, times: u64) {
        for _ in 0..times {
            let act = self.wrong(request);
            self.ask(act).await;
        }
    }

    /// Kills a request whose mail has to wait: at its turn nothing may be sent any more.
    async fn die_unmailed(&mut self, turn: u64) {
        let to = format!("waits{}.{turn}@example.com", self.name);
        self.application.world.defer_mail_to(&to, 2);
        let send = Act::Send {
            to,
            lifetime: LIFETIME,
        };
        if let Outcome::Sent(request) = self.ask(send).await {
            self.guess(&request, 7).await;
        }
    }

    /// Kills the request; where its mail has come before, the right code is typed when it is too late.
    async fn exhaust(&mut self, to: &str, request: &str) {
        let code = match self.random.below(3) {
            0 => None,
            _ => self.code(to).await,
        };
        self.guess(request, 7).await;
        if let Some(code) = code {
            tokio::time::sleep(SURELY_LATER).await;
            self.twice(request, &code).await;
        }
    }

    /// Asks for another mail; where the first has come before, its code is typed first.
    async fn resend(&mut self, to: &str, request: &str) {
        let old = match self.random.below(3) {
            0 => None,
            _ => self.code(to).await,
        };
        let act = Act::Resend {
            to: to.to_owned(),
            request: request.to_owned(),
        };
        self.ask(act).await;
        if let Some(old) = old {
            tokio::time::sleep(SURELY_LATER).await;
            self.twice(request, &old).await;
        }
        self.sign_in(to, request).await;
    }

    /// Types every code that came, each on two nodes at once.
    async fn sign_in(&mut self, to: &str, request: &str) {
        for code in self.codes(to).await {
            self.twice(request, &code).await;
        }
    }

    /// The newest code of an address that nobody else has, when it has come.
    async fn code(&mut self, to: &str) -> Option<String> {
        self.codes(to).await.into_iter().next()
    }

    /// The newest two codes that came, the newest first; none when none came in time.
    async fn codes(&mut self, to: &str) -> Vec<String> {
        let world = Arc::clone(&self.application.world);
        for _ in 0..20 {
            let mails = world.mails_to(to);
            if !mails.is_empty() {
                let newest = mails.into_iter().rev().take(2);
                return newest.map(|mail| mail.code).collect();
            }
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        Vec::new()
    }

    async fn twice(&mut self, request: &str, code: &str) {
        let act = Act::Verify {
            request: request.to_owned(),
            code: code.to_owned(),
            right: true,
        };
        let ((one, _), (other, _)) = (self.door(), self.door());
        let application = &self.application;
        tokio::join!(
            application.call(one, true, act.clone()),
            application.call(other, false, act),
        );
    }
}

/// Far more calls at once than the store takes: sends, spread over all nodes and both doors.
pub(crate) async fn overload(application: &Arc<Application>, calls: usize) {
    let wave = application.world.at();
    let mut running = JoinSet::new();
    for number in 0..calls {
        let application = Arc::clone(application);
        running.spawn(async move {
            let node = number % application.world.urls.len();
            let to = format!("crowd{wave}.{number}@example.com");
            let send = Act::Send {
                to,
                lifetime: LIFETIME,
            };
            application.call(node, number % 2 == 0, send).await
        });
    }
    while running.join_next().await.is_some() {}
}
