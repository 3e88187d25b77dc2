//! A real HAProxy of the test's own, with a configuration that the test gives it.
//!
//! Needs the Debian package `haproxy` (`cargo xtask test` installs it).

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Child;

use tempfile::TempDir;

use crate::daemon::{await_start, watched};
use crate::smtp::ServerIdentity;

/// Where Debian puts it.
const BINARY: &str = "/usr/sbin/haproxy";

/// A running HAProxy. Dropping it stops it, and so does the end of the process.
#[derive(Debug)]
pub struct HaProxy {
    _folder: TempDir,
    server: Child,
    ca_pem: String,
}

impl HaProxy {
    /// Starts it with the configuration that `config` makes of the file that holds a certificate for
    /// `localhost` and its key, and waits until it listens on `listen`.
    ///
    /// # Errors
    /// It is not installed, refuses the configuration, or does not start.
    pub fn start(listen: SocketAddr, config: impl FnOnce(&Path) -> String) -> io::Result<Self> {
        if !Path::new(BINARY).exists() {
            return Err(io::Error::other(
                "HAProxy is missing: install the Debian package haproxy, or run `cargo xtask test`",
            ));
        }
        let folder = tempfile::Builder::new()
            .prefix("postern-haproxy-")
            .tempdir()?;
        let identity = ServerIdentity::make().map_err(io::Error::other)?;
        let certificate = folder.path().join("auth.pem");
        let both = format!("{}{}", identity.chain_pem, identity.key_pem);
        fs::write(&certificate, both)?;
        let file = folder.path().join("haproxy.cfg");
        fs::write(&file, config(&certificate))?;
        let log = folder.path().join("log");
        let mut command = watched("TERM", folder.path(), Path::new(BINARY));
        command.arg("-db").arg("-f").arg(&file);
        let out = File::create(&log)?;
        command.stderr(out.try_clone()?).stdout(out);
        let mut server = command.spawn()?;
        await_start("HAProxy", &mut server, &log, || {
            TcpStream::connect(listen).is_ok()
        })?;
        Ok(Self {
            _folder: folder,
            server,
            ca_pem: identity.ca_pem,
        })
    }

    /// The certificate of the authority that a client must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

impl Drop for HaProxy {
    fn drop(&mut self) {
        // The watcher ends it when the pipe closes, which waiting does.
        let _ = self.server.wait();
    }
}
