//! A real pgbouncer of the test's own that pools transactions, in front of a PostgreSQL of the test's
//! own, reached by a socket in a temporary folder.
//!
//! Needs the Debian package `pgbouncer` (`cargo xtask test` installs it).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;

use crate::daemon::{NOBODY, as_nobody, await_start, is_root, watched};
use crate::postgres::Postgres;

/// Where Debian puts it.
const BINARY: &str = "/usr/sbin/pgbouncer";
/// The port that names its socket.
const PORT: u16 = 6432;

/// A running pgbouncer. Dropping it stops it, and so does the end of the process.
#[derive(Debug)]
pub struct PgBouncer {
    folder: TempDir,
    server: Child,
    postgres: Arc<Postgres>,
}

impl PgBouncer {
    /// Starts one before `postgres` with so many connections to each database: fewer than its callers
    /// have, so that transactions of one caller land in different sessions.
    ///
    /// # Errors
    /// It is not installed or does not start; the message says what to do or what it said.
    pub fn start(postgres: Arc<Postgres>, connections: u32) -> io::Result<Self> {
        if !Path::new(BINARY).exists() {
            return Err(io::Error::other(
                "pgbouncer is missing: install the Debian package pgbouncer, or run `cargo xtask test`",
            ));
        }
        let folder = tempfile::Builder::new().prefix("postern-pgb-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        if is_root()? {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let config = folder.path().join("pgbouncer.ini");
        fs::write(&config, ini(&postgres, folder.path(), connections))?;
        let log = folder.path().join("log");
        let mut command = watched("TERM", folder.path(), Path::new(BINARY));
        command.arg("-q").arg(&config);
        let out = File::create(&log)?;
        command.stderr(out.try_clone()?).stdout(out);
        let mut server = as_nobody(&mut command)?.spawn()?;
        let socket = folder.path().join(format!(".s.PGSQL.{PORT}"));
        await_start("pgbouncer", &mut server, &log, || {
            UnixStream::connect(&socket).is_ok()
        })?;
        Ok(Self {
            folder,
            server,
            postgres,
        })
    }

    /// One that the tests of this process share, before [`Postgres::shared`].
    ///
    /// # Panics
    /// It cannot be had.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PgBouncer> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start(Postgres::shared(), 4).unwrap_or_else(|error| panic!("{error}"))
        })
    }

    /// Makes a fresh database; answers the URL that leads to it through the pooler.
    pub fn database(&self) -> String {
        let direct = self.postgres.database();
        let name = direct.trim_start_matches("postgres:///").split('?').next();
        self.url(name.unwrap_or_default())
    }

    /// The URL that leads to a database through the pooler.
    pub fn url(&self, database: &str) -> String {
        let folder = self.folder.path().display();
        format!("postgres:///{database}?host={folder}&port={PORT}&user=postern")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // The watcher ends it when the pipe closes, which waiting does.
        let _ = self.server.wait();
    }
}

fn ini(postgres: &Postgres, folder: &Path, connections: u32) -> String {
    let (behind, folder) = (postgres.folder().display(), folder.display());
    format!(
        "[databases]\n* = host={behind} user=postern\n\
         [pgbouncer]\nlisten_port = {PORT}\nunix_socket_dir = {folder}\nunix_socket_mode = 0777\n\
         auth_type = any\npool_mode = transaction\nmax_client_conn = 400\ndefault_pool_size = {connections}\n\
         logfile =\nstats_period = 3600\n"
    )
}
