//! A real PostgreSQL of the test's own: its files in a temporary folder, reached by a socket there.
//!
//! Needs the Debian package `postgresql` (`cargo xtask test` installs it). `initdb` refuses root, so
//! under root everything of it runs as `nobody`. The machine's own PostgreSQL, should there be one,
//! is not touched.

mod elsewhere;
mod program;
mod standby;

use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tempfile::TempDir;

use crate::daemon::{NOBODY, as_nobody, is_root, watched};
use crate::smtp::ServerIdentity;
use program::{binary, tool};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The one user of the server.
const USER: &str = "postern";

/// How much of what it is told the server keeps when the machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Everything that it says it committed.
    Everything,
    /// What survives its own end; fast, for tests that do not cut the power.
    WhatTestsNeed,
}

/// A cluster that was made by `initdb`, running or not. Dropping it stops the server, and so does the
/// end of the process, however it ends.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    server: Option<Child>,
    settings: Vec<String>,
    databases: AtomicU32,
    /// Where it listens besides its socket, and whose certificate it shows there.
    tls: Option<(u16, String)>,
    /// Its port, also of its socket.
    port: u16,
}

/// The port of a server that was given none.
const PORT: u16 = 5432;

impl Postgres {
    /// Makes a cluster and starts its server, which listens on loopback too, over TLS with a certificate
    /// for `localhost` of an authority of its own.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_tls() -> io::Result<Self> {
        let mut postgres = Self::make(Keeps::WhatTestsNeed)?;
        let identity = ServerIdentity::make().map_err(io::Error::other)?;
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        for (name, pem) in [
            ("tls.crt", &identity.chain_pem),
            ("tls.key", &identity.key_pem),
        ] {
            let file = postgres.folder.path().join(name);
            fs::write(&file, pem)?;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
            if is_root()? {
                chown(&file, Some(NOBODY), Some(NOBODY))?;
            }
        }
        let folder = postgres.folder.path().display().to_string();
        postgres.settings.extend([
            "ssl=on".to_owned(),
            format!("ssl_cert_file={folder}/tls.crt"),
            format!("ssl_key_file={folder}/tls.key"),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={free}"),
        ]);
        fs::write(postgres.folder.path().join("ca.pem"), &identity.ca_pem)?;
        let ca = postgres.folder.path().join("ca.pem").display().to_string();
        postgres.tls = Some((free, ca));
        postgres.port = free;
        postgres.run()?;
        Ok(postgres)
    }

    /// The port of its TLS on loopback, and the file of the authority to trust.
    pub fn tls(&self) -> Option<(u16, &str)> {
        let (port, ca) = self.tls.as_ref()?;
        Some((*port, ca))
    }

    /// Makes a cluster and starts its server.
    ///
    /// # Errors
    /// PostgreSQL is not installed or does not start; the message says what to do or what it said.
    pub fn start(keeps: Keeps) -> io::Result<Self> {
        let mut postgres = Self::make(keeps)?;
        postgres.run()?;
        Ok(postgres)
    }

    /// Makes a cluster and starts its server, which listens on a port of 127.0.0.1 too.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn listening(keeps: Keeps) -> io::Result<Self> {
        let mut postgres = Self::make(keeps)?;
        postgres.listen()?;
        postgres.run()?;
        Ok(postgres)
    }

    /// Where it listens, if it was made by [`Self::listening`] or as a standby.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// A server that the tests of this process share, for databases of their own.
    ///
    /// # Panics
    /// It cannot be had.
    pub fn shared() -> Arc<Self> {
        // Weak: a static is never dropped, and the server ends with the last test or the process.
        static SHARED: OnceLock<std::sync::Mutex<Weak<Postgres>>> = OnceLock::new();
        let mut shared = SHARED
            .get_or_init(std::sync::Mutex::default)
            .lock()
            .expect("making it does not panic twice");
        if let Some(running) = shared.upgrade() {
            return running;
        }
        let started = Self::start(Keeps::WhatTestsNeed).unwrap_or_else(|error| panic!("{error}"));
        let started = Arc::new(started);
        *shared = Arc::downgrade(&started);
        // Kept until the process ends: a test binary starts one server, however its tests overlap.
        KEPT.get_or_init(|| Arc::clone(&started));
        started
    }

    /// Makes a fresh database; answers its URL.
    ///
    /// # Panics
    /// The server does not make it.
    pub fn database(&self) -> String {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::SeqCst));
        let made = self.psql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        );
        made.unwrap_or_else(|error| panic!("no database: {error}"));
        self.url(&name)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres:///{database}?host={}&user={USER}",
            self.folder.path().display()
        )
    }

    /// Runs statements on a database; answers what they print, without headers.
    ///
    /// # Errors
    /// What the server says.
    pub fn psql(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut command = tool("psql")?;
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER]);
        command
            .arg("-h")
            .arg(self.folder.path())
            .args(["-d", database, "-c", sql]);
        command.args(["-p", &self.port.to_string()]);
        said(&mut command)
    }

    /// Ends the server as a crash of all its processes would, and waits for the end.
    ///
    /// # Errors
    /// It does not end.
    pub fn crash(&mut self) -> io::Result<()> {
        self.signal("QUIT")?;
        self.ended()
    }

    /// Stops all processes of the server where they stand, as a machine that hangs does, or lets them go on.
    ///
    /// # Errors
    /// They cannot be told.
    pub fn stand_still(&self, still: bool) -> io::Result<()> {
        let Some(first) = self.id() else {
            return Err(io::Error::other("it does not run"));
        };
        let signal = if still { "STOP" } else { "CONT" };
        // The first one before its children, so that it makes no more of them.
        tell(signal, &[first.to_string()])?;
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        for child in children.split_whitespace() {
            // Some end by themselves at any time, such as those that vacuum.
            let told = tell(signal, &[child.to_owned()]);
            told.or_else(|error| if is_gone(child) { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    }

    /// Starts the server again on the files that are there.
    ///
    /// # Errors
    /// It does not start; the message holds its log.
    pub fn run(&mut self) -> io::Result<()> {
        let mut command = server(&self.data(), self.folder.path(), &self.settings)?;
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())?;
        command.stderr(log.try_clone()?).stdout(log);
        self.server = Some(command.spawn()?);
        self.ready()
    }

    /// The id of the server's first process, while it runs.
    pub fn id(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// Makes a cluster and starts its server with further settings, `name=value` each.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(keeps: Keeps, settings: &[String]) -> io::Result<Self> {
        let mut postgres = Self::make(keeps)?;
        postgres.settings.extend_from_slice(settings);
        postgres.run()?;
        Ok(postgres)
    }

    /// The folder of its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn make(keeps: Keeps) -> io::Result<Self> {
        let postgres = Self::empty(keeps)?;
        let mut initdb = tool("initdb")?;
        initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]);
        said(as_nobody(initdb.arg("-D").arg(postgres.data()))?)?;
        Ok(postgres)
    }

    /// A folder for a cluster.
    fn empty(keeps: Keeps) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("postern-pg-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        if is_root()? {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let mut settings = vec!["listen_addresses=".into(), "max_connections=400".into()];
        if keeps == Keeps::WhatTestsNeed {
            settings.extend(["fsync=off".into(), "full_page_writes=off".into()]);
        }
        Ok(Self {
            folder,
            server: None,
            settings,
            databases: AtomicU32::new(0),
            tls: None,
            port: PORT,
        })
    }

    /// Chooses a port, which stays the cluster's.
    fn listen(&mut self) -> io::Result<()> {
        self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        self.settings.extend([
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
        ]);
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn ready(&mut self) -> io::Result<()> {
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            if self.psql("postgres", "SELECT 1").is_ok() {
                return Ok(());
            }
            let ended = self.server.as_mut().map_or(Ok(None), Child::try_wait)?;
            if ended.is_some() {
                break;
            }
            pause();
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        Err(io::Error::other(format!(
            "PostgreSQL does not start: {log}"
        )))
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let Some(id) = self.id() else { return Ok(()) };
        tell(name, &[id.to_string()])
    }

    fn ended(&mut self) -> io::Result<()> {
        if let Some(mut server) = self.server.take() {
            // Before the pipe is closed, which waiting does: the folder stays.
            if let Some(watcher) = &mut server.stdin {
                watcher.write_all(b"stay\n")?;
            }
            server.wait()?;
        }
        Ok(())
    }
}

/// The shared server, until the process ends.
static KEPT: OnceLock<Arc<Postgres>> = OnceLock::new();

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.stand_still(false);
        let _ = self.signal("QUIT");
        let _ = self.ended();
    }
}

/// Whether a process has ended, be it that nobody has asked how.
fn is_gone(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    !stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn tell(signal: &str, processes: &[String]) -> io::Result<()> {
    said(Command::new("kill").args(["-s", signal]).args(processes)).map(drop)
}

fn server(data: &Path, sockets: &Path, settings: &[String]) -> io::Result<Command> {
    let mut command = watched("QUIT", sockets, &binary("postgres")?);
    command.arg("-D").arg(data).arg("-k").arg(sockets);
    for setting in settings {
        command.args(["-c", setting]);
    }
    as_nobody(&mut command)?;
    Ok(command)
}

fn said(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&output.stderr).into_owned(),
    ))
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process's start has no event to wait for"
)]
fn pause() {
    std::thread::sleep(LOOK);
}
