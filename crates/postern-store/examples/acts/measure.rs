//! Latencies, CPU time and file sizes of a run.
#![expect(clippy::cast_precision_loss, reason = "these are figures to look at")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use postern_store::Checkpoints;

use crate::work::Kind;

/// The head of the table that [`Told::row`] fills.
pub(crate) const HEADER: &str = "act     passive  frames    acts/s  us CPU  writer us  p50 ms  p99 ms  p99.9 ms  max ms  log MiB";

/// What a run showed.
pub(crate) struct Told {
    pub(crate) took: Duration,
    pub(crate) cpu: Cpu,
    /// Of each act, in microseconds.
    pub(crate) latencies: Vec<u32>,
    pub(crate) log_bytes: u64,
}

impl Told {
    /// One line of the table.
    pub(crate) fn row(mut self, kind: Kind, plan: &Checkpoints) -> String {
        self.latencies.sort_unstable();
        let count = self.latencies.len().max(1);
        let each = |span: Duration| span.as_secs_f64() * 1e6 / count as f64;
        let passive = plan
            .every
            .map_or("-".to_owned(), |every| format!("{} ms", every.as_millis()));
        format!(
            "{:<7} {passive:>7} {:>7} {:>9.0} {:>7.1} {:>10.1} {:>7.2} {:>7.2} {:>9.2} {:>7.1} {:>8.1}",
            kind.name(),
            plan.frames,
            count as f64 / self.took.as_secs_f64(),
            each(self.cpu.process),
            each(self.cpu.writer),
            self.at(500),
            self.at(990),
            self.at(999),
            self.at(1000),
            self.log_bytes as f64 / 1_048_576.0,
        )
    }

    fn at(&self, permille: usize) -> f64 {
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
}

impl Cpu {
    /// Reads it from the kernel; nanoseconds of each living thread.
    pub(crate) fn now() -> Self {
        let mut cpu = Self {
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
        }
    }
}

/// How large the write-ahead log is on disk.
pub(crate) fn log_bytes(folder: &Path) -> u64 {
    fs::metadata(folder.join("postern.db-wal")).map_or(0, |meta| meta.len())
}
