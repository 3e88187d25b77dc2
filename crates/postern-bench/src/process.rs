//! What a process uses, read from `/proc`.

use std::{fs, io, ops::Sub, path::Path, time::Duration};

use anyhow::Context;

/// Linux counts CPU time in hundredths of a second for every program (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A process that is watched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(pub(crate) u32);

/// CPU time, user and system.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
        }
    }
}

impl Process {
    /// CPU time since its start, of all its threads.
    pub(crate) fn usage(self) -> anyhow::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))
            .context("the server's process is gone")?;
        let ticks = ticks(&stat).context("an unreadable /proc/PID/stat")?;
        Ok(Usage { cpu: TICK * ticks })
    }

    /// Resident memory now, in bytes.
    pub(crate) fn resident(self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// The most it ever was, in bytes.
    pub(crate) fn peak_resident(self) -> anyhow::Result<u64> {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kib: u64 = kib.context("an unreadable /proc/PID/status")?.parse()?;
        Ok(kib * 1024)
    }

    /// Who listens on that port of loopback.
    pub(crate) fn listening_on(port: u16) -> anyhow::Result<Self> {
        let inode =
            listening_socket(port).with_context(|| format!("nothing listens on port {port}"))?;
        let link = format!("socket:[{inode}]");
        for entry in fs::read_dir("/proc")? {
            let entry = entry?;
            let Some(pid) = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            else {
                continue;
            };
            if holds(&entry.path(), &link).unwrap_or(false) {
                return Ok(Self(pid));
            }
        }
        anyhow::bail!("the process that listens on port {port} cannot be seen: run as its user")
    }
}

/// Fields 14 and 15, counted after the name, which may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn listening_socket(port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(sockets) = fs::read_to_string(table) else {
            continue;
        };
        for socket in sockets.lines().skip(1) {
            let fields: Vec<&str> = socket.split_whitespace().collect();
            if fields.len() > 9 && fields[1].ends_with(&suffix) && fields[3] == LISTEN {
                return Some(fields[9].to_owned());
            }
        }
    }
    None
}

fn holds(process: &Path, link: &str) -> io::Result<bool> {
    for descriptor in fs::read_dir(process.join("fd"))? {
        if fs::read_link(descriptor?.path()).is_ok_and(|target| target.as_os_str() == link) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_name_with_spaces() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20 0 1 0 5";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn a_listener_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let found = Process::listening_on(port).unwrap();
        assert_eq!(found.0, std::process::id());
        assert!(found.resident().unwrap() > 0);
    }
}
