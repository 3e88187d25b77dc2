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

/// CPU time of a server and of the database server that it works on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(crate) server: Usage,
    pub(crate) database: Usage,
}

impl Sub for Spent {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            server: self.server - earlier.server,
            database: self.database - earlier.database,
        }
    }
}

impl Process {
    /// CPU time since its start, of all its threads.
    pub(crate) fn usage(self) -> anyhow::Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))
            .context("the server's process is gone")?;
        let stat = Stat::read(&stat).context("an unreadable /proc/PID/stat")?;
        Ok(Usage {
            cpu: TICK * stat.ticks,
        })
    }

    /// CPU time since its start, of itself and of all that it started, those that have ended among them.
    pub(crate) fn usage_of_family(self) -> anyhow::Result<Usage> {
        let mut stats = Vec::new();
        for entry in fs::read_dir("/proc")? {
            // What ends while we look is counted with its parent the next time.
            let stat = fs::read_to_string(entry?.path().join("stat"));
            stats.extend(stat.ok().as_deref().and_then(Stat::read));
        }
        let family = family(self.0, &stats);
        let ticks = family.iter().map(|stat| stat.ticks + stat.ticks_of_ended);
        Ok(Usage {
            cpu: TICK * ticks.sum::<u32>(),
        })
    }

    /// Resident memory now, in bytes.
    pub(crate) fn resident(self) -> anyhow::Result<u64> {
        self.status("VmRSS:")
    }

    /// Waits until it gives no more memory back, 20 s at most: an allocator keeps what is free for a
    /// while, since it is mostly wanted again.
    pub(crate) async fn rested(self) -> anyhow::Result<()> {
        const LOOK: Duration = Duration::from_millis(2500);
        let mut before = self.resident()?;
        for _ in 0..8 {
            tokio::time::sleep(LOOK).await;
            let now = self.resident()?;
            if now + now / 64 > before {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Lets [`Self::peak_resident`] count from now on.
    pub(crate) fn forget_peak(self) -> anyhow::Result<()> {
        const PEAK: &str = "5";
        let path = format!("/proc/{}/clear_refs", self.0);
        fs::write(&path, PEAK).with_context(|| format!("cannot write to {path}"))
    }

    /// The most it was since then, or ever, in bytes.
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

/// What `/proc/PID/stat` tells of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    id: u32,
    parent: u32,
    ticks: u32,
    /// Of the processes that it started and waited for.
    ticks_of_ended: u32,
}

impl Stat {
    /// Fields 1, 4 and 14 to 17, counted after the name, which may hold anything.
    fn read(stat: &str) -> Option<Self> {
        let (before_name, _) = stat.split_once(" (")?;
        let (_, after_name) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = after_name.split(' ').collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
        Some(Self {
            id: before_name.parse().ok()?,
            parent: number(4)?,
            ticks: number(14)? + number(15)?,
            ticks_of_ended: number(16)? + number(17)?,
        })
    }
}

/// The process `first` and all that stand under it.
fn family(first: u32, stats: &[Stat]) -> Vec<Stat> {
    let mut found: Vec<Stat> = Vec::new();
    let mut line = vec![first];
    while let Some(id) = line.pop() {
        found.extend(stats.iter().find(|stat| stat.id == id));
        let children = stats.iter().filter(|stat| stat.parent == id);
        line.extend(children.map(|stat| stat.id));
    }
    found
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
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 30 12 4 3 20 0 1 0 5";
        let read = Stat {
            id: 12,
            parent: 1,
            ticks: 42,
            ticks_of_ended: 7,
        };
        assert_eq!(Stat::read(stat), Some(read));
    }

    #[test]
    fn a_family_is_a_process_and_all_that_stand_under_it() {
        let stat = |id, parent| Stat {
            id,
            parent,
            ticks: 1,
            ticks_of_ended: 0,
        };
        let all = [stat(1, 0), stat(5, 1), stat(6, 5), stat(7, 6), stat(8, 1)];
        let mut found: Vec<u32> = family(5, &all).iter().map(|stat| stat.id).collect();
        found.sort_unstable();
        assert_eq!(found, [5, 6, 7]);
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
