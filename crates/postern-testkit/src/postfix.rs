//! A real Postfix of the test's own: its configuration, queue and log in a temporary folder, a
//! free port of loopback, mail passed on to a server that the test holds.
//!
//! Needs the Debian packages `postfix`, `sasl2-bin` and `libsasl2-modules` (`cargo xtask test`
//! installs them) and root, or `sudo` that asks nothing: Postfix starts under no other user. The
//! machine's own Postfix, should it run, is not touched.

use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::smtp::ServerIdentity;

/// A running Postfix that demands STARTTLS, and a login where it was started with one. Dropping it
/// stops it.
#[derive(Debug)]
pub struct Postfix {
    folder: TempDir,
    addr: SocketAddr,
    ca_pem: String,
}

impl Postfix {
    /// An address that this Postfix refuses with 550 5.1.1.
    pub const UNKNOWN: &str = "unknown@example.com";
    /// An address that this Postfix defers with 451 4.3.0.
    pub const BUSY: &str = "busy@example.com";

    /// The name and the password that [`Self::start_with_login`] takes.
    pub const ACCOUNT: (&str, &str) = ("postern@postfix.test", "a password of Postfix's own 7f3a");

    /// Starts an instance that passes every mail on to `next`, from whoever is on this machine.
    ///
    /// # Errors
    /// Postfix is not installed, or does not start; the message says what to do or what it said.
    pub fn start(next: SocketAddr) -> io::Result<Self> {
        Self::launch(next, false)
    }

    /// Starts an instance that passes on what [`Self::ACCOUNT`] sends, once it has logged in (SASL,
    /// by Cyrus and a database of the test's own), and refuses everybody else.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with_login(next: SocketAddr) -> io::Result<Self> {
        Self::launch(next, true)
    }

    fn launch(next: SocketAddr, login: bool) -> io::Result<Self> {
        if !Path::new("/usr/sbin/postfix").exists() {
            return Err(io::Error::other(
                "Postfix is missing: install the Debian package postfix, or run `cargo xtask test`",
            ));
        }
        let folder = tempfile::Builder::new()
            .prefix("postern-postfix-")
            .tempdir()?;
        // Its daemons give up root and must still find their files.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let identity = ServerIdentity::make().map_err(io::Error::other)?;
        let postfix = Self {
            ca_pem: identity.ca_pem.clone(),
            folder,
            addr,
        };
        postfix.write_files(&identity, next, login)?;
        let started = postfix.run("start")?;
        if !started.status.success() {
            let told = String::from_utf8_lossy(&started.stderr).into_owned();
            return Err(io::Error::other(format!(
                "Postfix does not start: {told}{}",
                postfix.log()
            )));
        }
        Ok(postfix)
    }

    /// Where it takes mail.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate of the authority that a client must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        let path = self.folder.path().join("log/maillog");
        Command::new("cat")
            .arg(&path)
            .output()
            .map_or_else(|error| error.to_string(), |output| lossy(&output))
    }

    fn write_files(
        &self,
        identity: &ServerIdentity,
        next: SocketAddr,
        login: bool,
    ) -> io::Result<()> {
        let root = self.folder.path();
        for part in ["etc", "etc/sasl", "queue", "data", "log"] {
            fs::create_dir(root.join(part))?;
        }
        fs::write(root.join("etc/cert.pem"), &identity.chain_pem)?;
        fs::write(root.join("etc/key.pem"), &identity.key_pem)?;
        let mut main = main_cf(root, next);
        if login {
            write_account(root)?;
            main.push_str(&login_cf(root));
        }
        fs::write(root.join("etc/main.cf"), main)?;
        fs::write(root.join("etc/master.cf"), master_cf(self.addr))?;
        let owned = as_root("chown")
            .arg("-R")
            .arg("postfix")
            .arg(root.join("data"))
            .output()?;
        if owned.status.success() {
            Ok(())
        } else {
            Err(io::Error::other(lossy(&owned)))
        }
    }

    fn run(&self, verb: &str) -> io::Result<Output> {
        as_root("/usr/sbin/postfix")
            .arg("-c")
            .arg(self.folder.path().join("etc"))
            .arg(verb)
            .output()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.run("stop");
        // The queue holds files of another user, which the folder's own removal could not take.
        let _ = as_root("rm").arg("-rf").arg(self.folder.path()).output();
    }
}

fn lossy(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn as_root(program: &str) -> Command {
    let id = Command::new("id").arg("-u").output();
    if id.is_ok_and(|output| output.stdout.starts_with(b"0\n")) {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", program]);
    command
}

/// The account, in a database that Postfix's own user may read.
fn write_account(root: &Path) -> io::Result<()> {
    let (name, password) = Postfix::ACCOUNT;
    let (user, realm) = name.split_once('@').unwrap_or((name, ""));
    let database = root.join("etc/sasldb2");
    let told = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: {}\n",
        database.display()
    );
    fs::write(root.join("etc/sasl/smtpd.conf"), told)?;
    let mut making = Command::new("/usr/sbin/saslpasswd2")
        .args(["-c", "-p", "-u", realm, "-f"])
        .arg(&database)
        .arg(user)
        .stdin(Stdio::piped())
        .spawn()?;
    let mut typed = making.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    typed.write_all(password.as_bytes())?;
    drop(typed);
    if !making.wait()?.success() {
        return Err(io::Error::other("saslpasswd2 did not make the account"));
    }
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644))
}

fn login_cf(root: &Path) -> String {
    let sasl = root.join("etc/sasl");
    format!(
        "smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {}
smtpd_sasl_security_options = noanonymous
smtpd_tls_auth_only = yes
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
",
        sasl.display()
    )
}

fn main_cf(root: &Path, next: SocketAddr) -> String {
    let root = root.display();
    let (host, port) = (next.ip(), next.port());
    let (unknown, busy) = (Postfix::UNKNOWN, Postfix::BUSY);
    format!(
        "compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root}/log/maillog
maillog_file_prefixes = {root}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = postfix.test
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
relayhost = [{host}]:{port}
smtputf8_enable = yes
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{ {{ {unknown} = 550 5.1.1 no such user }}, {{ {busy} = 451 4.3.0 try later }} }}, permit_mynetworks, reject
smtpd_tls_cert_file = {root}/etc/cert.pem
smtpd_tls_key_file = {root}/etc/key.pem
smtpd_tls_security_level = encrypt
smtp_tls_security_level = none
smtpd_tls_loglevel = 1
"
    )
}

fn master_cf(addr: SocketAddr) -> String {
    let services = [
        ("pickup", "unix", "n", "60", "1", "pickup"),
        ("cleanup", "unix", "n", "-", "0", "cleanup"),
        ("qmgr", "unix", "n", "300", "1", "qmgr"),
        ("tlsmgr", "unix", "-", "1000?", "1", "tlsmgr"),
        ("rewrite", "unix", "-", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "-", "0", "bounce"),
        ("defer", "unix", "-", "-", "0", "bounce"),
        ("trace", "unix", "-", "-", "0", "bounce"),
        ("verify", "unix", "-", "-", "1", "verify"),
        ("flush", "unix", "n", "1000?", "0", "flush"),
        ("proxymap", "unix", "-", "-", "-", "proxymap"),
        ("smtp", "unix", "-", "-", "-", "smtp"),
        ("relay", "unix", "-", "-", "-", "smtp"),
        ("showq", "unix", "n", "-", "-", "showq"),
        ("error", "unix", "-", "-", "-", "error"),
        ("retry", "unix", "-", "-", "-", "error"),
        ("discard", "unix", "-", "-", "-", "discard"),
        ("anvil", "unix", "-", "-", "1", "anvil"),
        ("scache", "unix", "-", "-", "1", "scache"),
    ];
    let lines = services.map(|(service, kind, private, wake, limit, command)| {
        format!(
            "{service} {kind} {private} - n {wake} {limit} {command}
"
        )
    });
    let own = format!(
        "{addr} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
"
    );
    own + &lines.concat()
}
