//! `cargo xtask screenshots`: every page of the dashboard as a picture.

use std::fs;
use std::io::Read as _;
use std::process::{Child, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::shell::{Workspace, run};
use crate::test::{packages, system};

/// What `postern --json dev` prints.
#[derive(Deserialize)]
struct Told {
    url: String,
    dashboard_url: String,
}

/// A development server, ended with this value.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server, walks a browser over it, and leaves the pictures in the target folder.
///
/// # Errors
/// When something is missing, or a page does not come.
pub(crate) fn take(workspace: &Workspace) -> Result<()> {
    system::ensure()?;
    packages::browser(workspace)?;
    run(&mut workspace.cargo(["build", "--quiet", "--locked", "--package", "postern"]))?;
    let (data, shots) = (
        workspace.target.join("screenshots-data"),
        workspace.target.join("screenshots"),
    );
    for folder in [&data, &shots] {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    let mut postern = workspace.command(workspace.target.join("debug/postern"));
    postern.args(["--json", "dev", "--listen", "127.0.0.1:0", "--data"]);
    let mut server = Server(postern.arg(&data).stdout(Stdio::piped()).spawn()?);
    let told = told(&mut server.0)?;
    let mut node = workspace.command("node");
    node.arg("tests/browser/screenshots.mjs")
        .env("POSTERN_URL", told.url)
        .env("POSTERN_INVITATION", told.dashboard_url)
        .env("POSTERN_DATA", &data)
        .env("SHOTS", &shots);
    run(&mut node)?;
    println!("{}", shots.display());
    Ok(())
}

/// The one JSON value that the server prints once it listens.
fn told(server: &mut Child) -> Result<Told> {
    let mut out = server.stdout.take().context("the output was asked for")?;
    let (mut text, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = out.read(&mut piece)?;
        if read == 0 {
            bail!("the server ended before it listened");
        }
        text.extend_from_slice(&piece[..read]);
        if let Ok(told) = serde_json::from_slice(&text) {
            return Ok(told);
        }
    }
}
