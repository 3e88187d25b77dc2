use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context, Result};
use postern_testkit::smtp::{Received, SmtpServer};
use serde_json::Value;
use tokio::time::Instant;

use super::database::{self, Database};
use super::disk::Disk;
use super::{DRAIN, Engine, Mails, World};
use crate::history::Mail;
use crate::node::{Node, Programs};

/// Wrong codes that an address survives: few, so that a short run passes them.
pub(crate) const BUDGET: usize = 8;

/// A copy of the embedded store, made before the first start.
pub(super) const BEFORE: &str = "before.db";

impl World {
    /// Makes everything and starts it; with a small disk under an embedded store if `mounts` is said.
    pub(crate) async fn build(
        programs: &Programs,
        engine: Engine,
        mounts: bool,
    ) -> Result<Arc<Self>> {
        let folder = tempfile::Builder::new()
            .prefix("postern-torture-")
            .tempdir()?;
        let smtp = SmtpServer::builder().start().await?;
        let (mut database, mut disk) = (None, None);
        match engine {
            Engine::Sqlite if mounts => disk = Disk::mount(&folder.path().join("data0"))?,
            Engine::Sqlite => {}
            Engine::Postgres => database = Some(tokio::task::block_in_place(Database::start)?),
        }
        let (mut nodes, mut wires) = (Vec::new(), Vec::new());
        let (mut urls, mut scrapes) = (Vec::new(), Vec::new());
        for number in 0..engine.nodes() {
            let (port, metrics) = (free_port()?, free_port()?);
            let own = match &database {
                Some(database) => database::wires(database.addresses()).await?,
                None => Vec::new(),
            };
            write_config(folder.path(), number, [port, metrics], &own)?;
            scrapes.push(format!("http://127.0.0.1:{metrics}/metrics"));
            urls.push(format!("http://127.0.0.1:{port}"));
            nodes.push(Node::new(programs, folder.path(), number));
            wires.push(own);
        }
        let client = tokio::task::block_in_place(|| prepare(&nodes, &smtp))?;
        copy_store(folder.path())?;
        let world = Arc::new(Self {
            engine,
            urls,
            client,
            nodes: nodes.into_iter().map(Mutex::new).collect(),
            wires,
            scrapes,
            smtp,
            mails: Mutex::new(Mails::default()),
            refused: Mutex::default(),
            deaths: Mutex::default(),
            skew: OnceLock::new(),
            began: now(),
            http: reqwest::Client::builder().no_proxy().build()?,
            database: database.map(Mutex::new),
            disk,
            folder,
        });
        world.start().await?;
        Ok(world)
    }

    async fn start(&self) -> Result<()> {
        for number in 0..self.nodes.len() {
            self.node(number, Node::start)?;
            self.ready(number).await?;
        }
        Ok(())
    }
}

/// Keeps the embedded store as it is now, if there is one.
fn copy_store(folder: &Path) -> Result<()> {
    let store = folder.join("data0/postern.db");
    if store.exists() {
        fs::copy(store, folder.join(BEFORE))?;
    }
    Ok(())
}

/// The one clock of a run.
#[expect(
    clippy::disallowed_methods,
    reason = "what really happened is measured, on real processes"
)]
fn now() -> Instant {
    Instant::now()
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Bounds are low, so that a short run meets them: few acts wait, and a silent database is given up
/// soon.
fn write_config(
    folder: &Path,
    number: usize,
    [port, metrics]: [u16; 2],
    wires: &[super::Proxy],
) -> Result<()> {
    let (shown, drain) = (folder.display(), DRAIN.as_millis());
    let database = match wires {
        [] => String::new(),
        wires => Database::url(wires),
    };
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"https://auth.example.com\"\ndrain = \"{drain}ms\"\n\
         [data]\ndir = \"{shown}/data{number}\"\nroot_keys_file = \"{shown}/root.keys\"\n\
         database_url = \"{database}\"\n[limits]\nstore_queue = 64\n\
         [metrics]\nlisten = \"127.0.0.1:{metrics}\"\n[log]\nformat = \"json\"\n\
         [postgres]\nstatement_timeout = \"2s\"\nlock_timeout = \"1s\"\ncommit_timeout = \"3s\"\n"
    );
    fs::write(folder.join(format!("node{number}.toml")), text)?;
    Ok(())
}

/// Roots, schema, provider and a client; answers the client's id and secret.
fn prepare(nodes: &[Node], smtp: &SmtpServer) -> Result<(String, String)> {
    let first = nodes.first().context("there is a node")?;
    first.command("migrate")?;
    first.command("keys root add")?;
    first.command(&format!(
        "settings set code_length=10 guess_budget={BUDGET}"
    ))?;
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
pub(super) fn read(at: u64, received: &Received) -> Mail {
    let text = String::from_utf8_lossy(&received.data);
    let header = |name: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found.unwrap_or_default().trim().to_owned()
    };
    let subject = header("Subject:");
    let code = subject
        .split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit())
        .find(|word| word.len() == 10);
    Mail {
        at,
        to: received.to.first().cloned().unwrap_or_default(),
        code: code.unwrap_or_default().to_owned(),
        id: header("Message-ID:"),
        answered: received.answered,
    }
}
