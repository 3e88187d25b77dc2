use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use postern_testkit::postgres::{Keeps, Postgres};
use postern_testkit::smtp::{Act, SmtpServer, Step};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::history::{Fault, Mail};
use crate::node::Node;

/// Which store is tortured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// One node on its own file.
    Sqlite,
    /// Three nodes on a PostgreSQL that the run makes itself.
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

/// How long a node may take to answer after its start; a busy machine is slow.
const START: Duration = Duration::from_mins(1);

/// Everything that runs: nodes, database, mail server.
pub(crate) struct World {
    pub(crate) urls: Vec<String>,
    pub(crate) client: (String, String),
    pub(crate) smtp: SmtpServer,
    nodes: Vec<Mutex<Node>>,
    postgres: Option<Mutex<Postgres>>,
    began: Instant,
    faults: Mutex<Vec<(u64, Fault)>>,
    mails: Mutex<Vec<Mail>>,
    http: reqwest::Client,
    _folder: TempDir,
}

impl World {
    /// Makes everything and starts it.
    pub(crate) async fn build(binary: &Path, engine: Engine) -> Result<Arc<Self>> {
        let folder = tempfile::Builder::new()
            .prefix("postern-torture-")
            .tempdir()?;
        let smtp = SmtpServer::builder().start().await?;
        let postgres = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(Postgres::start(Keeps::Everything)?),
        };
        let database = postgres
            .as_ref()
            .map(Postgres::database)
            .unwrap_or_default();
        let mut nodes = Vec::new();
        for number in 0..engine.nodes() {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            write_config(folder.path(), number, port, &database)?;
            let url = format!("http://127.0.0.1:{port}");
            nodes.push(Node::new(binary, folder.path(), number, url));
        }
        let client = prepare(&nodes, &smtp)?;
        let world = Arc::new(Self {
            urls: nodes.iter().map(|node| node.url.clone()).collect(),
            client,
            smtp,
            nodes: nodes.into_iter().map(Mutex::new).collect(),
            postgres: postgres.map(Mutex::new),
            began: now(),
            faults: Mutex::default(),
            mails: Mutex::default(),
            http: reqwest::Client::builder().no_proxy().build()?,
            _folder: folder,
        });
        for number in 0..world.nodes.len() {
            world.node(number, Node::start)?;
            world.ready(number).await?;
        }
        Ok(world)
    }

    /// Milliseconds since the run began.
    pub(crate) fn at(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Breaks something, and mends it unless that is for later.
    pub(crate) async fn inflict(&self, fault: Fault, lasts: Duration) -> Result<()> {
        lock(&self.faults).push((self.at(), fault));
        match fault {
            Fault::Kill(number) => {
                self.node(number, |node| {
                    node.signal("KILL").and_then(|()| node.ended())
                })?;
                tokio::time::sleep(lasts).await;
                self.node(number, Node::start)?;
                self.ready(number).await
            }
            Fault::Terminate(number) => {
                self.node(number, |node| node.signal("TERM"))?;
                self.wait_for_end(number).await?;
                self.node(number, Node::start)?;
                self.ready(number).await
            }
            Fault::Stop(number) => {
                self.node(number, |node| node.signal("STOP"))?;
                tokio::time::sleep(lasts).await;
                self.node(number, |node| node.signal("CONT"))
            }
            Fault::Database => self.crash_database(lasts).await,
            Fault::Mail => {
                self.smtp.always(Step::Rcpt, Act::reply(451));
                tokio::time::sleep(lasts).await;
                self.smtp.heal();
                Ok(())
            }
        }
    }

    /// Keeps the mails that have come since the last look, for as long as it is polled.
    pub(crate) async fn collect(self: Arc<Self>) {
        loop {
            let known = lock(&self.mails).len();
            if self.smtp.count() > known as u64 {
                let at = self.at();
                let received = self.smtp.received();
                let new = received
                    .iter()
                    .skip(known)
                    .map(|mail| read(at, &mail.to, &mail.data));
                lock(&self.mails).extend(new);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// The mails to an address so far.
    pub(crate) fn mails_to(&self, to: &str) -> Vec<Mail> {
        let mails = lock(&self.mails);
        mails.iter().filter(|mail| mail.to == to).cloned().collect()
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    pub(crate) fn faults(&self) -> Vec<(u64, Fault)> {
        lock(&self.faults).clone()
    }

    /// Nodes that have ended by themselves.
    pub(crate) fn deaths(&self) -> usize {
        self.nodes
            .iter()
            .filter(|node| lock(node).has_died())
            .count()
    }

    /// Waits until the node says that it is ready.
    pub(crate) async fn ready(&self, number: usize) -> Result<()> {
        let url = format!("{}/readyz", self.urls[number]);
        let ready = async {
            loop {
                let answer = self
                    .http
                    .get(&url)
                    .timeout(Duration::from_secs(2))
                    .send()
                    .await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(START, ready).await.is_ok() {
            return Ok(());
        }
        let log = self.node(number, |node| Ok(fs::read_to_string(node.log())?))?;
        let last: Vec<_> = log.lines().rev().take(5).collect();
        bail!("node {number} is not ready: {last:?}")
    }

    async fn wait_for_end(&self, number: usize) -> Result<()> {
        while !lock(&self.nodes[number]).has_died() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.node(number, Node::ended)
    }

    async fn crash_database(&self, lasts: Duration) -> Result<()> {
        let Some(postgres) = &self.postgres else {
            return Ok(());
        };
        tokio::task::block_in_place(|| lock(postgres).crash())?;
        tokio::time::sleep(lasts).await;
        tokio::task::block_in_place(|| lock(postgres).run())?;
        for number in 0..self.nodes.len() {
            self.ready(number).await?;
        }
        Ok(())
    }

    fn node<T>(&self, number: usize, work: impl FnOnce(&mut Node) -> Result<T>) -> Result<T> {
        work(&mut lock(&self.nodes[number])).with_context(|| format!("node {number}"))
    }
}

/// The one clock of a run.
#[expect(
    clippy::disallowed_methods,
    reason = "what really happened is measured, on real processes"
)]
fn now() -> Instant {
    Instant::now()
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_config(folder: &Path, number: usize, port: u16, database: &str) -> Result<()> {
    let shown = folder.display();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"https://auth.example.com\"\ndrain = \"1s\"\n\
         [data]\ndir = \"{shown}/data{number}\"\nroot_keys_file = \"{shown}/root.keys\"\n\
         database_url = \"{database}\"\n[log]\nformat = \"json\"\n"
    );
    fs::write(folder.join(format!("node{number}.toml")), text)?;
    Ok(())
}

/// Roots, schema, provider and a client; answers the client's id and secret.
fn prepare(nodes: &[Node], smtp: &SmtpServer) -> Result<(String, String)> {
    let first = nodes.first().context("there is a node")?;
    first.command("migrate")?;
    first.command("keys root add")?;
    first.command("settings set code_length=10")?;
    let port = smtp.addr().port();
    first.command(&format!(
        "mail provider add sink --host 127.0.0.1 --port {port} --tls none --from login@example.com"
    ))?;
    let made: Value = serde_json::from_str(&first.command("client create torture --json")?)?;
    let text = |name: &str| made[name].as_str().map(str::to_owned);
    text("id")
        .zip(text("secret"))
        .context("a client has id and secret")
}

/// What a mail says, from its headers: the subject holds the code.
fn read(at: u64, to: &[String], data: &[u8]) -> Mail {
    let text = String::from_utf8_lossy(data);
    let header = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let subject = header("Subject:");
    let code = subject
        .split(|c: char| !c.is_ascii_digit())
        .find(|word| word.len() == 10);
    Mail {
        at,
        to: to.first().cloned().unwrap_or_default(),
        code: code.unwrap_or_default().to_owned(),
        id: header("Message-ID:"),
    }
}
