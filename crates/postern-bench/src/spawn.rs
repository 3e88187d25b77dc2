//! A server of our own, on temporary data.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    rc::Rc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{http1, process::Process, watch};

/// Above what a run asks of one address; the ranges of the settings allow no more.
const QUOTAS: [&str; 3] = [
    "sends_per_minute=100",
    "sends_per_hour=500",
    "sends_per_day=1000",
];
const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// A running `postern dev`. It ends when dropped.
pub(crate) struct Spawned {
    child: Child,
    home: Home,
    started_in: Duration,
}

/// A `postern` program with a data directory and a port of its own.
#[derive(Clone)]
pub(crate) struct Home {
    program: PathBuf,
    data: Rc<TempDir>,
    port: u16,
    environment: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn new(program: &Path) -> anyhow::Result<Self> {
        // Free now, and nobody else asks for it in the moment until the server does.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            program: program.to_owned(),
            data: Rc::new(tempfile::Builder::new().prefix("postern-bench").tempdir()?),
            port,
            environment: Vec::new(),
        })
    }

    /// The same, with one more variable in the server's environment.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// Starts the server and waits for its first answer.
    pub(crate) async fn start(&self, outbox_paused: bool) -> anyhow::Result<Spawned> {
        let paused = ("POSTERN_OUTBOX_CONCURRENCY", "0");
        let paused = outbox_paused.then_some(paused);
        self.start_with(paused.as_slice()).await
    }

    /// Starts the server with these variables, and waits for its first answer.
    pub(crate) async fn start_with(&self, variables: &[(&str, &str)]) -> anyhow::Result<Spawned> {
        let mut command = Command::new(&self.program);
        command
            .args([
                "dev",
                "--listen",
                &format!("127.0.0.1:{}", self.port),
                "--data",
            ])
            .arg(self.data())
            .env("POSTERN_LOG_FILTER", "warn")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .envs(variables.iter().copied())
            .kill_on_drop(true);
        let began = watch::now();
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        let mut spawned = Spawned {
            child,
            home: self.clone(),
            started_in: Duration::ZERO,
        };
        spawned.first_answer().await?;
        spawned.started_in = began.elapsed();
        Ok(spawned)
    }

    /// Runs `postern` with these words on our data.
    pub(crate) async fn command(&self, words: &[&str]) -> anyhow::Result<()> {
        self.told(words).await.map(drop)
    }

    /// The same, and what it prints.
    pub(crate) async fn told(&self, words: &[&str]) -> anyhow::Result<Vec<u8>> {
        let output = Command::new(&self.program)
            .args(words)
            .arg("--data")
            .arg(self.data())
            .stdin(Stdio::null())
            .output()
            .await?;
        let told = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "postern {}: {told}",
            words.join(" ")
        );
        Ok(output.stdout)
    }
}

impl Spawned {
    /// Lets one address have the mails that a run sends it.
    pub(crate) async fn raise_quotas(&self) -> anyhow::Result<()> {
        let mut words = vec!["settings", "set"];
        words.extend(QUOTAS);
        self.home.command(&words).await
    }

    pub(crate) fn env_file(&self) -> PathBuf {
        self.home.data().join("dev.env")
    }

    pub(crate) fn process(&self) -> Process {
        Process(self.child.id().expect("it is waited for only by `stop`"))
    }

    /// From its start to its first answer.
    pub(crate) fn started_in(&self) -> Duration {
        self.started_in
    }

    /// Ends the server at once, as a crash would.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    async fn first_answer(&mut self) -> anyhow::Result<()> {
        let began = watch::now();
        let address = ([127, 0, 0, 1], self.home.port).into();
        while began.elapsed() < STARTS_WITHIN {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            if let Ok(mut connection) = http1::Connection::open(address).await
                && let Ok(answer) = connection.call(&http1::HEALTH, b"").await
                && answer.status == 200
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        bail!(
            "no answer within {} s of the start",
            STARTS_WITHIN.as_secs()
        )
    }
}
