//! The real `postern` binary in development mode, run as a person runs it: started, killed, started
//! again on the same data.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How long a start may take; a machine that builds something else at the same time is slow.
const START: Duration = Duration::from_mins(1);
/// How often a start is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What to start.
pub struct Plan {
    binary: PathBuf,
    flags: Vec<String>,
    environment: Vec<(String, PathBuf)>,
}

/// What an application needs to speak to the server.
#[derive(Clone)]
pub struct Credentials {
    /// The origin, `http://127.0.0.1:PORT` or with TLS `https://…`.
    pub url: String,
    /// The development client's id.
    pub client_id: String,
    /// The development client's secret.
    pub client_secret: String,
}

/// A running `postern dev`, killed when dropped.
pub struct Server {
    plan: Plan,
    folder: TempDir,
    child: Child,
    credentials: Credentials,
}

impl Plan {
    /// Plans to start `binary`, in a test `env!("CARGO_BIN_EXE_postern")`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            flags: Vec::new(),
            environment: Vec::new(),
        }
    }

    /// Serve HTTPS under a private CA.
    #[must_use]
    pub fn tls(self) -> Self {
        self.flag("--tls")
    }

    /// Start with this configuration key, such as `settings.passwordless_type`, set.
    #[must_use]
    pub fn set(self, key: &str, value: &str) -> Self {
        self.flag("--set").flag(&format!("{key}={value}"))
    }

    /// Start with this environment variable, such as `SSL_CERT_FILE`, set to a path.
    #[must_use]
    pub fn environment(mut self, name: &str, path: impl Into<PathBuf>) -> Self {
        self.environment.push((name.to_owned(), path.into()));
        self
    }

    fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Starts it on a free port and an empty data directory.
    ///
    /// # Panics
    /// When it does not come up; the message holds what it printed.
    pub fn start(self) -> Server {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (child, credentials) = self.launch(folder.path());
        Server {
            plan: self,
            folder,
            child,
            credentials,
        }
    }

    fn launch(&self, folder: &Path) -> (Child, Credentials) {
        let told_before = read(&stdout(folder)).len();
        let mut command = self.command();
        command
            .args(["dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(data(folder));
        command.args(&self.flags);
        command
            .stdout(appended(&stdout(folder)))
            .stderr(appended(&stderr(folder)));
        let mut child = command.spawn().expect("the postern binary starts");
        let credentials = awaited(&mut child, folder, told_before);
        (child, credentials)
    }

    /// The binary, with nothing of our own environment that it would take for configuration.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTERN_") {
                command.env_remove(name);
            }
        }
        for (name, path) in &self.environment {
            command.env(name, path);
        }
        command
    }
}

impl Server {
    /// How to speak to it; another port after every start.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        data(self.folder.path())
    }

    /// What it printed on its standard output, in all its starts.
    pub fn stdout(&self) -> String {
        read(&stdout(self.folder.path()))
    }

    /// What it printed on its standard error, in all its starts.
    pub fn stderr(&self) -> String {
        read(&stderr(self.folder.path()))
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process as a power cut would (SIGKILL).
    ///
    /// # Panics
    /// When the process has ended by itself before.
    pub fn kill(&mut self) {
        let ended = self.child.try_wait().expect("the process can be asked");
        assert!(
            ended.is_none(),
            "the server had ended by itself: {}",
            self.stderr()
        );
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Starts it again, after [`Self::kill`], on the data that is there.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        (self.child, self.credentials) = self.plan.launch(self.folder.path());
    }

    /// Asks it to stop (SIGTERM) and waits for the end.
    ///
    /// # Panics
    /// When it cannot be asked.
    pub fn stop(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status();
        assert!(
            asked.is_ok_and(|status| status.success()),
            "SIGTERM reaches the server"
        );
        self.child.wait().expect("the server ends")
    }

    /// Runs `postern ARGUMENTS --data DATA`, as an admin does beside the running server.
    ///
    /// # Panics
    /// When the binary cannot be started.
    pub fn admin(&self, arguments: &[&str]) -> Output {
        let mut command = self.plan.command();
        command.args(arguments).arg("--data").arg(self.data());
        command.output().expect("the postern binary starts")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn stdout(folder: &Path) -> PathBuf {
    folder.join("stdout")
}

fn stderr(folder: &Path) -> PathBuf {
    folder.join("stderr")
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn appended(path: &Path) -> File {
    let opened = File::options().create(true).append(true).open(path);
    opened.expect("the test's folder can be written to")
}

/// Waits until the server has told its credentials, which it does once it listens: on its standard
/// output, past what earlier starts told there.
fn awaited(child: &mut Child, folder: &Path, told_before: usize) -> Credentials {
    let looks = START.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        if let Some(credentials) = Credentials::parse(&read(&stdout(folder))[told_before..]) {
            return credentials;
        }
        let ended = child.try_wait().expect("the process can be asked");
        if let Some(status) = ended {
            panic!("the server ended ({status}): {}", read(&stderr(folder)));
        }
        pause();
    }
    panic!("the server did not come up: {}", read(&stderr(folder)));
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process's start has no event to wait for"
)]
fn pause() {
    std::thread::sleep(LOOK);
}

impl Credentials {
    /// Reads the three lines `NAME=VALUE`; `None` while they are not all there.
    fn parse(text: &str) -> Option<Self> {
        let whole = text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        let value = |name: &str| {
            let mut lines = whole.clone();
            let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
            Some(value.to_owned())
        };
        Some(Self {
            url: value("SCALEKIT_ENVIRONMENT_URL")?,
            client_id: value("SCALEKIT_CLIENT_ID")?,
            client_secret: value("SCALEKIT_CLIENT_SECRET")?,
        })
    }
}
