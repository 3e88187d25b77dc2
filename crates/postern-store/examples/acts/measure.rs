//! Latencies, CPU time and file sizes of a run.
#![expect(clippy::cast_precision_loss, reason = "these are figures to look at")]

use std::fs;
use std::time::Duration;

/// The head of the table that [`Told::row`] fills.
pub(crate) const HEADER: &str = "act     plan               acts/s  us CPU  writer us  database us  p50 ms  p99 ms  p99.9 ms  max ms  log MiB";

/// What a run showed.
pub(crate) struct Told {
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// Of each act, in microseconds, the shortest first.
    pub(crate) latencies: Vec<u32>,
    pub(crate) log_bytes: u64,
}

impl Told {
    /// One line of the table.
    pub(crate) fn row(&self, act: &str, plan: &str) -> String {
        let count = self.latencies.len().max(1);
        let each = |span: Duration| span.as_secs_f64() * 1e6 / count as f64;
        format!(
            "{act:<7} {plan:<15} {:>9.0} {:>7.1} {:>10.1} {:>12.1} {:>7.2} {:>7.2} {:>9.2} {:>7.1} {:>8.1}",
            self.rate(),
            each(self.cpu.process),
            each(self.cpu.writer),
            each(self.cpu.database),
            self.at(500),
            self.at(990),
            self.at(999),
            self.at(1000),
            self.log_bytes as f64 / 1_048_576.0,
        )
    }

    /// Acts a second.
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// How many milliseconds so many acts of a thousand took at most.
    pub(crate) fn at(&self, permille: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = last * permille / 1000;
        self.latencies
            .get(place)
            .map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// CPU time used so far.
#[derive(Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) process: Duration,
    pub(crate) writer: Duration,
    /// Of all processes of the database server.
    pub(crate) database: Duration,
}

impl Cpu {
    /// Reads it from the kernel; nanoseconds of each living thread.
    pub(crate) fn now(database: Option<u32>) -> Self {
        let mut cpu = Self {
            database: database.map_or(Duration::ZERO, of_family),
            process: Duration::ZERO,
            writer: Duration::ZERO,
        };
        let threads = fs::read_dir("/proc/self/task").expect("Linux has it");
        for thread in threads.flatten() {
            let Ok(stat) = fs::read_to_string(thread.path().join("schedstat")) else {
                continue;
            };
            let nanos = stat
                .split(' ')
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0);
            let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
            cpu.process += Duration::from_nanos(nanos);
            if name.starts_with("store-writer") {
                cpu.writer += Duration::from_nanos(nanos);
            }
        }
        cpu
    }

    /// What was used since `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            process: self.process.saturating_sub(earlier.process),
            writer: self.writer.saturating_sub(earlier.writer),
            database: self.database.saturating_sub(earlier.database),
        }
    }
}

/// CPU time of a process, of those that it started and of those of them that have ended.
fn of_family(first: u32) -> Duration {
    // Linux counts in hundredths of a second for every program (`USER_HZ`).
    const TICK: Duration = Duration::from_millis(10);
    let ticks = |stat: &str| -> Option<u32> {
        let (id, rest) = stat.split_once(" (")?;
        let fields: Vec<&str> = rest.rsplit_once(") ")?.1.split(' ').collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
        let ours = id.parse() == Ok(first);
        let ended = if ours { number(16)? + number(17)? } else { 0 };
        (ours || number(4)? == first).then_some(number(14)? + number(15)? + ended)
    };
    let stats = fs::read_dir("/proc").expect("Linux has it").flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    TICK * stats.filter_map(|stat| ticks(&stat)).sum::<u32>()
}
