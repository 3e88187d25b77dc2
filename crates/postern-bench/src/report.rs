//! What is told: a table for people, JSON for programs.

use std::{collections::BTreeMap, fmt, io::Write};

use serde::Serialize;

use crate::{
    args::Engine,
    cold_start::Start,
    door::Door,
    floor::Bare,
    meter::{Round, count, median},
    plan::Kind,
    targets::{self, Verdict},
};

/// Everything that was measured.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) engine: Engine,
    connections: usize,
    rounds: usize,
    cores: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) start: Option<Start>,
    targets: Vec<Verdict>,
}

/// The medians of one kind of work through one door.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) door: &'static str,
    /// Live requests in the store beforehand.
    pub(crate) prefill: u64,
    pub(crate) calls: u64,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    /// The longest of all rounds.
    pub(crate) longest_ms: f64,
    /// CPU time of a call, a database server's included.
    pub(crate) cpu_us: f64,
    /// Of it the database server's.
    pub(crate) database_cpu_us: f64,
    pub(crate) errors: BTreeMap<String, u64>,
    /// The bare echo of the same bodies, through the same door.
    pub(crate) echo: Option<Bare>,
    /// The work without a server: a signature for `token`, a group commit for `send`.
    pub(crate) bare: Option<Bare>,
    /// The echo with one statement a request through a pool, on the same database server.
    pub(crate) pooled: Option<Bare>,
}

/// Resident memory of one server, in bytes.
#[derive(Serialize)]
pub(crate) struct Memory {
    pub(crate) prefill: u64,
    pub(crate) outbox_paused: bool,
    pub(crate) idle: u64,
    /// The most while calls were measured.
    pub(crate) loaded: u64,
}

/// The rounds of one row.
pub(crate) struct Figures {
    pub(crate) kind: Kind,
    pub(crate) door: Door,
    prefill: u64,
    pub(crate) rounds: Vec<Round>,
    pub(crate) echoes: Vec<Round>,
    pub(crate) bare: Vec<Bare>,
    pub(crate) pooled: Vec<Round>,
}

impl Figures {
    pub(crate) fn new(kind: Kind, door: Door, prefill: u64) -> Self {
        Self {
            kind,
            door,
            prefill,
            rounds: Vec::new(),
            echoes: Vec::new(),
            bare: Vec::new(),
            pooled: Vec::new(),
        }
    }

    pub(crate) fn row(&self) -> Row {
        let middle = |figure: fn(&Round) -> f64| median(self.rounds.iter().map(figure));
        let longest = self.rounds.iter().map(|round| round.meter.longest_ms());
        let mut errors = BTreeMap::new();
        for (code, count) in self.rounds.iter().flat_map(|round| round.meter.errors()) {
            *errors.entry(code.clone()).or_default() += count;
        }
        Row {
            work: self.kind.name(),
            door: self.door.name(),
            prefill: self.prefill,
            calls: self.rounds.iter().map(|round| round.meter.calls()).sum(),
            per_second: middle(Round::per_second),
            p50_ms: middle(|round| round.meter.quantile_ms(0.5)),
            p99_ms: middle(|round| round.meter.quantile_ms(0.99)),
            p999_ms: middle(|round| round.meter.quantile_ms(0.999)),
            longest_ms: longest.fold(0.0, f64::max),
            cpu_us: middle(Round::cpu_us),
            database_cpu_us: middle(Round::database_cpu_us),
            errors,
            echo: beside(&self.echoes),
            pooled: beside(&self.pooled),
            bare: (!self.bare.is_empty()).then(|| Bare {
                per_second: median(self.bare.iter().map(|bare| bare.per_second)),
                cpu_us: median(self.bare.iter().map(|bare| bare.cpu_us)),
            }),
        }
    }
}

/// The medians of what was measured beside.
fn beside(rounds: &[Round]) -> Option<Bare> {
    (!rounds.is_empty()).then(|| Bare {
        per_second: median(rounds.iter().map(Round::per_second)),
        cpu_us: median(rounds.iter().map(Round::cpu_us)),
    })
}

impl Row {
    /// Our throughput as a share of the echo's.
    pub(crate) fn share_of_echo(&self) -> Option<f64> {
        self.echo.map(|echo| self.per_second / echo.per_second)
    }

    /// Our throughput as a share of the bare work's.
    pub(crate) fn share_of_bare(&self) -> Option<f64> {
        self.bare.map(|bare| self.per_second / bare.per_second)
    }
}

impl Report {
    pub(crate) fn new(engine: Engine, connections: usize, rounds: usize) -> Self {
        Self {
            engine,
            connections,
            rounds,
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            rows: Vec::new(),
            memory: Vec::new(),
            start: None,
            targets: Vec::new(),
        }
    }

    pub(crate) fn print(mut self, json: bool) -> anyhow::Result<()> {
        self.targets = targets::judge(&self);
        let mut out = std::io::stdout().lock();
        if json {
            serde_json::to_writer_pretty(&mut out, &self)?;
            writeln!(out)?;
        } else {
            self.tables(&mut out)?;
        }
        Ok(())
    }

    fn tables(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(
            out,
            "{}, {} connections, medians of {} rounds, {} cores shared with the generator\n",
            self.engine.name(),
            self.connections,
            self.rounds,
            self.cores
        )?;
        self.calls(out)?;
        for memory in &self.memory {
            let paused = if memory.outbox_paused {
                ", outbox paused"
            } else {
                ""
            };
            writeln!(
                out,
                "resident: {:.1} MB idle, {:.1} MB under load ({} live requests beforehand{paused})",
                megabytes(memory.idle),
                megabytes(memory.loaded),
                memory.prefill,
            )?;
        }
        if let Some(start) = &self.start {
            writeln!(out, "{start}")?;
        }
        if !self.targets.is_empty() {
            writeln!(out, "\n{:<52} {:>10} {:>10}", "target", "limit", "measured")?;
        }
        for verdict in &self.targets {
            writeln!(out, "{verdict}")?;
        }
        Ok(())
    }

    fn calls(&self, out: &mut impl Write) -> anyhow::Result<()> {
        writeln!(
            out,
            "{:<16} {:<5} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9} {:>7} {:>7} {:>9} {:>7}",
            "work",
            "door",
            "calls/s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
            "CPU us",
            "echo/s",
            "CPU us",
            "share",
            "bare/s",
            "share",
        )?;
        for row in &self.rows {
            writeln!(out, "{row}")?;
            if row.database_cpu_us > 0.0 {
                writeln!(
                    out,
                    "  of it in the database: {:.1} us",
                    row.database_cpu_us
                )?;
            }
            if let Some(pooled) = row.pooled {
                writeln!(
                    out,
                    "  one statement a request through a pool: {:.0} calls/s, {:.1} us",
                    pooled.per_second, pooled.cpu_us
                )?;
            }
            for (code, count) in &row.errors {
                writeln!(out, "  {count} calls: {code}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let work = match self.prefill {
            0 => self.work.to_owned(),
            prefill => format!("{} @{prefill}", self.work),
        };
        write!(
            f,
            "{work:<16} {:<5} {:>9.0} {:>8.2} {:>8.2} {:>8.2} {:>8.1} {:>8.1}",
            self.door,
            self.per_second,
            self.p50_ms,
            self.p99_ms,
            self.p999_ms,
            self.longest_ms,
            self.cpu_us,
        )?;
        write!(
            f,
            " {:>9} {:>7} {:>7} {:>9} {:>7}",
            known(self.echo.map(|echo| echo.per_second), 0),
            known(self.echo.map(|echo| echo.cpu_us), 1),
            known(self.share_of_echo(), 2),
            known(self.bare.map(|bare| bare.per_second), 0),
            known(self.share_of_bare(), 2),
        )
    }
}

fn known(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| "-".to_owned(), |figure| format!("{figure:.digits$}"))
}

/// In millions of bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    count(bytes) / 1e6
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{meter::Meter, process::Spent};

    fn report() -> Report {
        let mut figures = Figures::new(Kind::Send, Door::Rest, 0);
        for longest in [40, 70, 50] {
            let mut meter = Meter::new();
            for _ in 0..500 {
                meter.record(Duration::from_millis(2), None);
            }
            meter.record(Duration::from_millis(longest), None);
            figures.rounds.push(Round {
                meter,
                took: Duration::from_secs(1),
                used: Spent::default(),
            });
        }
        let mut report = Report::new(Engine::Sqlite, 64, 3);
        report.rows.push(figures.row());
        report
    }

    #[test]
    fn the_table_tells_the_slowest_in_a_thousand_and_the_longest_stall_of_all_rounds() {
        let mut told = Vec::new();
        report().tables(&mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        let mut lines = told.lines().skip_while(|line| !line.contains("p99.9 ms"));
        let names = lines.next().unwrap();
        let figures = lines.next().unwrap();
        assert!(names.contains("max ms"), "{told}");
        assert!(figures.contains(" 50.0"), "{told}");
        assert!(figures.contains(" 70.0"), "{told}");
    }

    #[test]
    fn programs_get_the_same_figures() {
        let told = serde_json::to_value(report()).unwrap();
        let row = &told["rows"][0];
        assert_eq!(row["work"], "send");
        assert_eq!(row["calls"], 1503);
        assert!((row["p999_ms"].as_f64().unwrap() - 50.0).abs() < 0.1);
        assert!((row["longest_ms"].as_f64().unwrap() - 70.0).abs() < 0.1);
    }
}
