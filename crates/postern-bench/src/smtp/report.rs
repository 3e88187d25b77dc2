//! What the way of mails came to.

use std::io::Write;

use serde::Serialize;

use crate::floor::Bare;
use crate::meter::{Meter, median};
use crate::targets::Verdict;

/// The rounds of one number of connections.
pub(super) struct Speed {
    pub(super) connections: usize,
    pub(super) ours: Vec<Bare>,
    pub(super) bare: Vec<Bare>,
}

/// The rounds on an idle server.
#[derive(Default)]
pub(super) struct Idle {
    pub(super) rounds: Vec<Meter>,
    pub(super) commits: Vec<Bare>,
}

/// Everything that was measured.
#[derive(Serialize)]
pub(super) struct Report {
    rounds: usize,
    mails: u64,
    message_bytes: usize,
    cores: usize,
    speeds: Vec<SpeedRow>,
    idle: Option<IdleRow>,
    targets: Vec<Verdict>,
}

/// Mails a second, medians.
#[derive(Serialize)]
struct SpeedRow {
    connections: usize,
    outbox: Bare,
    bare: Option<Bare>,
    share: Option<f64>,
}

/// From a send to its accepted message, medians.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the JSON names its units")]
struct IdleRow {
    p50_ms: f64,
    p99_ms: f64,
    longest_ms: f64,
    commit_ms: Option<f64>,
}

impl Speed {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            connections,
            ours: Vec::new(),
            bare: Vec::new(),
        }
    }

    fn row(&self) -> SpeedRow {
        let bare = middle(&self.bare);
        // Each round against its neighbour: the machine's mood is in both.
        let shares = self.ours.iter().zip(&self.bare);
        let shares = shares.map(|(ours, bare)| ours.per_second / bare.per_second);
        SpeedRow {
            connections: self.connections,
            outbox: middle(&self.ours).unwrap_or(Bare {
                per_second: f64::NAN,
                cpu_us: f64::NAN,
            }),
            bare,
            share: bare.map(|_| median(shares)),
        }
    }
}

fn middle(figures: &[Bare]) -> Option<Bare> {
    (!figures.is_empty()).then(|| Bare {
        per_second: median(figures.iter().map(|one| one.per_second)),
        cpu_us: median(figures.iter().map(|one| one.cpu_us)),
    })
}

impl Report {
    pub(super) fn new(rounds: usize, mails: u64, message_bytes: usize) -> Self {
        Self {
            rounds,
            mails,
            message_bytes,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            speeds: Vec::new(),
            idle: None,
            targets: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, speeds: &[Speed], idle: &Idle) {
        self.speeds = speeds.iter().map(Speed::row).collect();
        let of = |figure: fn(&Meter) -> f64| median(idle.rounds.iter().map(figure));
        let row = IdleRow {
            p50_ms: of(|meter| meter.quantile_ms(0.5)),
            p99_ms: of(|meter| meter.quantile_ms(0.99)),
            longest_ms: idle
                .rounds
                .iter()
                .map(Meter::longest_ms)
                .fold(0.0, f64::max),
            commit_ms: middle(&idle.commits).map(|commit| 1000.0 / commit.per_second),
        };
        for speed in &self.speeds {
            let what = format!(
                "outbox: mails/s at {} connections, share of bare",
                speed.connections
            );
            self.targets
                .extend(speed.share.map(|share| Verdict::at_least(what, 0.7, share)));
        }
        if let Some(commit) = row.commit_ms {
            let over = |what: &str, bound, ms: f64| {
                Verdict::at_most(
                    format!("send to DATA, idle, {what} ms over a commit"),
                    bound,
                    ms - commit,
                )
            };
            self.targets.push(over("p50", 5.0, row.p50_ms));
            self.targets.push(over("p99", 30.0, row.p99_ms));
        }
        self.idle = Some(row);
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, self)?;
            writeln!(out)?;
            return Ok(());
        }
        self.tables(&mut out)
    }

    fn tables(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(
            out,
            "{} mails of {} bytes a round, medians of {} rounds, {} cores shared with the sink\n",
            self.mails, self.message_bytes, self.rounds, self.cores
        )?;
        writeln!(
            out,
            "{:<11} {:>9} {:>7} {:>9} {:>7} {:>6}",
            "connections", "mails/s", "CPU us", "bare/s", "CPU us", "share"
        )?;
        for row in &self.speeds {
            let SpeedRow {
                connections,
                outbox,
                bare,
                share,
            } = row;
            write!(
                out,
                "{connections:<11} {:>9.0} {:>7.0}",
                outbox.per_second, outbox.cpu_us
            )?;
            match (bare, share) {
                (Some(bare), Some(share)) => {
                    writeln!(
                        out,
                        " {:>9.0} {:>7.0} {share:>6.2}",
                        bare.per_second, bare.cpu_us
                    )?;
                }
                _ => writeln!(out)?,
            }
        }
        self.verdicts(out)
    }

    fn verdicts(&self, out: &mut impl Write) -> anyhow::Result<()> {
        if let Some(idle) = &self.idle {
            let commit = idle
                .commit_ms
                .map(|ms| format!("; a durable commit {ms:.2} ms"));
            writeln!(
                out,
                "\nfrom a send to its accepted message, idle: p50 {:.2} ms, p99 {:.2} ms, longest {:.1} ms{}",
                idle.p50_ms,
                idle.p99_ms,
                idle.longest_ms,
                commit.unwrap_or_default()
            )?;
        }
        if !self.targets.is_empty() {
            writeln!(out, "\n{:<52} {:>10} {:>10}", "target", "limit", "measured")?;
        }
        for verdict in &self.targets {
            writeln!(out, "{verdict}")?;
        }
        Ok(())
    }
}
