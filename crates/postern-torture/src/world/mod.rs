//! Everything that runs: nodes, database, mail server, and what lies between them.

pub(crate) mod database;
mod disk;
mod faults;
pub(crate) mod proxy;
mod set_up;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use postern_testkit::smtp::{Act, SmtpServer, Step};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::history::Mail;
use crate::node::Node;
use database::Database;
use disk::Disk;
use proxy::Proxy;

pub(crate) use set_up::BUDGET;

/// Which store is tortured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// One node on its own file.
    Sqlite,
    /// Three nodes on a PostgreSQL with a standby that the run makes itself.
    Postgres,
}

impl Engine {
    /// How many nodes there are.
    pub(crate) fn nodes(self) -> usize {
        match self {
            Self::Sqlite => 1,
            Self::Postgres => 3,
        }
    }
}

/// How long a node may take to answer after its start, or to end; a busy machine is slow.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a node answers calls after it was told to stop.
pub(crate) const DRAIN: Duration = Duration::from_secs(1);

/// Everything that runs.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) urls: Vec<String>,
    pub(crate) client: (String, String),
    nodes: Vec<Mutex<Node>>,
    wires: Vec<Vec<Proxy>>,
    scrapes: Vec<String>,
    smtp: SmtpServer,
    mails: Mutex<Mails>,
    /// Whose mails are refused, and how.
    refused: Mutex<Vec<(String, Act)>>,
    deaths: Mutex<Vec<String>>,
    /// By how many seconds clocks are wrong that are.
    skew: OnceLock<i32>,
    began: Instant,
    http: reqwest::Client,
    // Dropped in this order: what uses a folder before the folder.
    database: Option<Mutex<Database>>,
    disk: Option<Disk>,
    folder: TempDir,
}

/// The mails that came, in their order, and where those to an address are.
#[derive(Default)]
struct Mails {
    all: Vec<Mail>,
    to: HashMap<String, Vec<usize>>,
}

impl World {
    /// Milliseconds since the run began.
    pub(crate) fn at(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Keeps the mails that have come since the last look, for as long as it is polled.
    pub(crate) async fn collect(self: Arc<Self>) {
        loop {
            self.look_for_mails();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn look_for_mails(&self) {
        let mut mails = lock(&self.mails);
        let at = self.at();
        for received in self.smtp.received_after(mails.all.len()) {
            let mail = set_up::read(at, &received);
            let number = mails.all.len();
            mails.to.entry(mail.to.clone()).or_default().push(number);
            mails.all.push(mail);
        }
    }

    /// The mails to an address so far.
    pub(crate) fn mails_to(&self, to: &str) -> Vec<Mail> {
        let mails = lock(&self.mails);
        let numbers = mails.to.get(to).map(Vec::as_slice).unwrap_or_default();
        numbers
            .iter()
            .map(|number| mails.all[*number].clone())
            .collect()
    }

    /// All mails so far.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.look_for_mails();
        lock(&self.mails).all.clone()
    }

    /// Lets the mail server answer so to every mail to this address from now on.
    pub(crate) fn refuse_mail_to(&self, to: &str, code: u16, told: &str) {
        let act = Act::Reply(code, told.to_owned());
        self.smtp.always_for(to, Step::Rcpt, act.clone());
        lock(&self.refused).push((to.to_owned(), act));
    }

    /// Lets the mail server take mails to this address only after so many tries.
    pub(crate) fn defer_mail_to(&self, to: &str, tries: usize) {
        for _ in 0..tries {
            self.smtp.once_for(to, Step::Rcpt, Act::reply(451));
        }
    }

    /// The embedded store as it was before the first start.
    pub(crate) fn before(&self) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join(set_up::BEFORE)).ok()
    }

    /// Whose mails the mail server refuses for good.
    pub(crate) fn bounced(&self) -> Vec<String> {
        let refused = lock(&self.refused);
        let for_good = refused
            .iter()
            .filter(|(_, act)| matches!(act, Act::Reply(500.., _)));
        for_good.map(|(to, _)| to.clone()).collect()
    }

    /// How many mails wait in the outbox, if a node tells.
    pub(crate) async fn waiting_mails(&self) -> Option<u64> {
        let asked = self.http.get(self.scrapes.first()?);
        let asked = asked.timeout(Duration::from_secs(2)).send().await.ok()?;
        let told = asked.text().await.ok()?;
        let depth = told
            .lines()
            .find_map(|line| line.strip_prefix("postern_outbox_depth "))?;
        depth.trim().parse().ok()
    }

    /// Ends every node as an operator does, and says where its store is.
    pub(crate) async fn stop(&self) -> Result<String> {
        for number in 0..self.nodes.len() {
            if lock(&self.nodes[number]).has_died() {
                self.died(format!("node {number} ended by itself"));
                continue;
            }
            self.node(number, |node| node.signal("TERM"))?;
            self.wait_for_end(number).await?;
        }
        Ok(match &self.database {
            Some(database) => lock(database).direct_url(),
            None => format!("sqlite:{}/data0/postern.db", self.folder.path().display()),
        })
    }

    /// What was noted of nodes that ended as they should not.
    pub(crate) fn deaths(&self) -> Vec<String> {
        lock(&self.deaths).clone()
    }

    fn died(&self, how: String) {
        lock(&self.deaths).push(how);
    }

    /// Waits until the node says that it is ready.
    async fn ready(&self, number: usize) -> Result<()> {
        let url = format!("{}/readyz", self.urls[number]);
        let ready = async {
            loop {
                let asked = self.http.get(&url).timeout(Duration::from_secs(2));
                let answer = asked.send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, ready).await.is_ok() {
            return Ok(());
        }
        let words = self.node(number, |node| Ok(node.last_words()))?;
        bail!("node {number} is not ready: {words}")
    }

    /// Waits until a node that was told to stop has ended, and looks how.
    async fn wait_for_end(&self, number: usize) -> Result<()> {
        let ended = async {
            while !lock(&self.nodes[number]).has_died() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .with_context(|| format!("node {number} does not end"))?;
        let status = self.node(number, Node::ended)?;
        if status.is_some_and(|status| !status.success()) {
            self.died(format!(
                "node {number} was told to stop and failed: {status:?}"
            ));
        }
        Ok(())
    }

    fn node<T>(&self, number: usize, work: impl FnOnce(&mut Node) -> Result<T>) -> Result<T> {
        work(&mut lock(&self.nodes[number])).with_context(|| format!("node {number}"))
    }
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
