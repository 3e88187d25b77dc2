use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// One real server process, on a port and a data directory that stay the same.
pub(crate) struct Node {
    programs: Programs,
    config: PathBuf,
    log: PathBuf,
    clock: Option<Clock>,
    child: Option<Child>,
}

/// What is run.
#[derive(Clone)]
pub(crate) struct Programs {
    /// The `postern` of the command line.
    pub(crate) postern: PathBuf,
    /// What serves, up to its `--config`.
    pub(crate) serve: Vec<String>,
}

impl Node {
    /// A node that is not running yet.
    pub(crate) fn new(programs: &Programs, folder: &Path, name: usize) -> Self {
        Self {
            programs: programs.clone(),
            config: folder.join(format!("node{name}.toml")),
            log: folder.join(format!("node{name}.log")),
            clock: Clock::find(folder.join(format!("clock{name}"))),
            child: None,
        }
    }

    /// Runs a command of the command line with this node's configuration.
    pub(crate) fn command(&self, arguments: &str) -> Result<String> {
        let mut command = Command::new(&self.programs.postern);
        command
            .args(arguments.split_whitespace())
            .arg("--config")
            .arg(&self.config);
        let output = command.output().context("starting postern")?;
        if !output.status.success() {
            bail!(
                "postern {arguments}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Starts it; whether it answers is for the caller to see.
    pub(crate) fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let (program, arguments) = self.programs.serve.split_first().context("a program")?;
        let mut command = Command::new(program);
        command.args(arguments).arg("--config").arg(&self.config);
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        if let Some(clock) = &self.clock {
            clock.hand_to(&mut command);
        }
        self.child = Some(command.spawn().context("starting postern serve")?);
        Ok(())
    }

    /// Puts its clock so many seconds ahead of ours, or behind; whether that can be done.
    pub(crate) fn step_clock(&self, seconds: i32) -> Result<bool> {
        let Some(clock) = &self.clock else {
            return Ok(false);
        };
        clock.step(seconds)?;
        Ok(true)
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) -> Result<()> {
        let child = self.child.as_ref().context("the node is not running")?;
        let status = Command::new("kill")
            .args(["-s", name, &child.id().to_string()])
            .status()?;
        if !status.success() {
            bail!("kill -s {name} failed");
        }
        Ok(())
    }

    /// Waits for the end of the process; how it ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let mut child = self.child.take();
        Ok(child.as_mut().map(Child::wait).transpose()?)
    }

    /// Whether it has ended and nobody has taken note.
    pub(crate) fn has_died(&mut self) -> bool {
        let ended = self.child.as_mut().map(Child::try_wait);
        matches!(ended, Some(Ok(Some(_))))
    }

    /// Its last log lines.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(5).collect();
        lines.join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A clock of a node's own, by Debian's libfaketime: nothing in the server knows of it.
struct Clock {
    library: PathBuf,
    /// Holds the difference to the system's clock, read every second.
    file: PathBuf,
}

impl Clock {
    /// None where the library is not installed.
    fn find(file: PathBuf) -> Option<Self> {
        let library = fs::read_dir("/usr/lib")
            .into_iter()
            .flatten()
            .filter_map(|folder| Some(folder.ok()?.path().join("faketime/libfaketimeMT.so.1")))
            .find(|library| library.exists())?;
        let clock = Self { library, file };
        clock.step(0).ok()?;
        Some(clock)
    }

    fn step(&self, seconds: i32) -> Result<()> {
        // In one act: the library must not read half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}\n"))?;
        Ok(fs::rename(new, &self.file)?)
    }

    fn hand_to(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
    }
}
