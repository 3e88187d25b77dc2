//! What the tests need of the machine, installed by apt where that is allowed.

use std::io::IsTerminal;
use std::process::Command;

use anyhow::{Result, bail};

use crate::shell::{run, succeeds};

struct Need {
    package: &'static str,
    found: fn() -> bool,
}

const NEEDS: [Need; 19] = [
    Need {
        package: "gcc",
        found: || answers("cc", "--version"),
    },
    Need {
        package: "curl",
        found: || answers("curl", "--version"),
    },
    Need {
        package: "nodejs",
        found: node,
    },
    Need {
        package: "npm",
        found: || answers("npm", "--version"),
    },
    Need {
        package: "python3-venv",
        found: || python().is_some(),
    },
    Need {
        package: "postfix",
        found: || std::path::Path::new("/usr/sbin/postfix").exists(),
    },
    Need {
        package: "sasl2-bin",
        found: || std::path::Path::new("/usr/sbin/saslpasswd2").exists(),
    },
    Need {
        package: "libsasl2-modules",
        found: || installed("libsasl2-modules"),
    },
    Need {
        package: "python3-dkim",
        found: || imports("dkim"),
    },
    Need {
        package: "python3-nacl",
        found: || imports("nacl.signing"),
    },
    Need {
        package: "postgresql",
        found: postgresql,
    },
    Need {
        package: "pgbouncer",
        found: || std::path::Path::new("/usr/sbin/pgbouncer").exists(),
    },
    Need {
        package: "haproxy",
        found: || std::path::Path::new("/usr/sbin/haproxy").exists(),
    },
    Need {
        package: "prometheus",
        found: || answers("promtool", "--version"),
    },
    Need {
        package: "systemd",
        found: || answers("systemd-analyze", "--version"),
    },
    Need {
        package: "strace",
        found: || answers("strace", "--version"),
    },
    Need {
        package: "libfaketime",
        found: faketime,
    },
    Need {
        package: "chromium",
        found: || answers("chromium", "--version"),
    },
    Need {
        package: "chromium-driver",
        found: || answers("chromedriver", "--version"),
    },
];

/// Makes sure that every needed program is there, installing the packages of those that are not.
///
/// # Errors
/// When something is missing and cannot be installed; the message names the packages.
pub(crate) fn ensure() -> Result<()> {
    ensure_of(|_| true)
}

/// As [`ensure`], for what `cargo xtask torture` needs.
///
/// # Errors
/// As [`ensure`].
pub(crate) fn ensure_for_torture() -> Result<()> {
    ensure_of(|package| ["gcc", "postgresql", "strace", "libfaketime"].contains(&package))
}

fn ensure_of(wanted: fn(&str) -> bool) -> Result<()> {
    let missing = missing(wanted);
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    eprintln!("    missing: {names}");
    let Some(installer) = Installer::find() else {
        bail!("please install these packages and run this again (Debian names): {names}");
    };
    installer.install(&missing)?;
    let still = self::missing(wanted);
    if !still.is_empty() {
        bail!("still missing after apt-get install: {}", still.join(" "));
    }
    Ok(())
}

/// A Python of the version that the lock file was made for, or newer, which can make environments.
pub(crate) fn python() -> Option<&'static str> {
    const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    ["python3", "/usr/bin/python3"]
        .into_iter()
        .find(|python| succeeds(Command::new(python).args(["-c", PROBE])))
}

/// A Node.js of a version that the SDK runs on.
fn node() -> bool {
    const PROBE: &str = "process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)";
    succeeds(Command::new("node").args(["-e", PROBE]))
}

/// A PostgreSQL of a version that we support; the tests make clusters of their own with it.
fn postgresql() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = versions.filter_map(Result::ok).any(|version| {
        let number = version.file_name().to_string_lossy().parse::<u32>();
        number.is_ok_and(|number| number >= 15) && version.path().join("bin/initdb").exists()
    });
    debian || (answers("initdb", "--version") && answers("postgres", "--version"))
}

/// Whether Debian's own Python, which verifies signatures in the tests, has this module.
fn imports(module: &str) -> bool {
    succeeds(Command::new("/usr/bin/python3").args(["-c", &format!("import {module}")]))
}

/// Whether a package without a program of its own is there.
fn installed(package: &str) -> bool {
    succeeds(Command::new("dpkg").args(["-L", package]))
}

/// Clocks of their own for the nodes that are tortured.
fn faketime() -> bool {
    let folders = std::fs::read_dir("/usr/lib").into_iter().flatten();
    folders
        .filter_map(Result::ok)
        .any(|folder| folder.path().join("faketime/libfaketimeMT.so.1").exists())
}

fn answers(program: &str, question: &str) -> bool {
    succeeds(Command::new(program).arg(question))
}

fn missing(wanted: fn(&str) -> bool) -> Vec<&'static str> {
    NEEDS
        .iter()
        .filter(|need| wanted(need.package) && !(need.found)())
        .map(|need| need.package)
        .collect()
}

/// apt-get, with sudo in front when we are not root.
struct Installer {
    sudo: Option<&'static [&'static str]>,
}

impl Installer {
    fn find() -> Option<Self> {
        if !answers("apt-get", "--version") {
            return None;
        }
        if succeeds(Command::new("sh").args(["-c", "[ $(id -u) = 0 ]"])) {
            return Some(Self { sudo: None });
        }
        let prompt_possible = std::io::stdin().is_terminal() && answers("sudo", "--version");
        let sudo: &[&str] = if prompt_possible {
            &["sudo"]
        } else {
            &["sudo", "--non-interactive"]
        };
        let usable =
            prompt_possible || succeeds(Command::new("sudo").args(["--non-interactive", "true"]));
        usable.then_some(Self { sudo: Some(sudo) })
    }

    fn install(&self, packages: &[&str]) -> Result<()> {
        run(self.apt_get().args(["update", "-qq"]))?;
        run(self
            .apt_get()
            .args(["install", "--yes", "-qq", "--no-install-recommends"])
            .args(packages))
    }

    /// `DEBIAN_FRONTEND` keeps Postfix from asking questions, `RUNLEVEL` from being started as
    /// the machine's own mail server: the tests start an instance of their own.
    fn apt_get(&self) -> Command {
        let words = self.sudo.unwrap_or_default().iter().copied();
        let mut words = words.chain([
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "RUNLEVEL=1",
            "apt-get",
        ]);
        let mut command = Command::new(words.next().expect("the chain is not empty"));
        command.args(words);
        command
    }
}
