use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// One real server process, on a port and a data directory that stay the same.
pub(crate) struct Node {
    binary: PathBuf,
    config: PathBuf,
    log: PathBuf,
    pub(crate) url: String,
    child: Option<Child>,
}

impl Node {
    /// A node that is not running yet.
    pub(crate) fn new(binary: &Path, folder: &Path, name: usize, url: String) -> Self {
        Self {
            binary: binary.to_owned(),
            config: folder.join(format!("node{name}.toml")),
            log: folder.join(format!("node{name}.log")),
            url,
            child: None,
        }
    }

    /// Runs a command of the command line with this node's configuration.
    pub(crate) fn command(&self, arguments: &str) -> Result<String> {
        let mut command = Command::new(&self.binary);
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
        let mut command = Command::new(&self.binary);
        command
            .args(["serve", "--config"])
            .arg(&self.config)
            .stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().context("starting postern serve")?);
        Ok(())
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

    /// Waits for the end of the process.
    pub(crate) fn ended(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        Ok(())
    }

    /// Whether it has ended though nobody asked it to.
    pub(crate) fn has_died(&mut self) -> bool {
        let ended = self.child.as_mut().map(Child::try_wait);
        matches!(ended, Some(Ok(Some(_))))
    }

    /// Where it logs.
    pub(crate) fn log(&self) -> &Path {
        &self.log
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
