//! What Postern promises of its speed, held against what was measured.

use std::fmt;

use serde::Serialize;

use crate::{
    args::Engine,
    report::{Report, Row, megabytes},
};

/// CPU time of the bare echo on the machine that the CPU targets were set on, in microseconds.
const REFERENCE_ECHO_US: f64 = 19.0;

/// One target.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    target: String,
    limit: f64,
    at_most: bool,
    measured: f64,
    met: bool,
}

impl Verdict {
    pub(crate) fn at_most(target: impl Into<String>, limit: f64, measured: f64) -> Self {
        Self {
            target: target.into(),
            limit,
            at_most: true,
            measured,
            met: measured <= limit,
        }
    }

    pub(crate) fn at_least(target: impl Into<String>, limit: f64, measured: f64) -> Self {
        Self {
            target: target.into(),
            limit,
            at_most: false,
            measured,
            met: measured >= limit,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = if self.at_most { "<=" } else { ">=" };
        let limit = format!("{bound} {}", self.limit);
        let mark = if self.met { "pass" } else { "MISS" };
        write!(
            f,
            "{:<52} {limit:>10} {:>10.2}  {mark}",
            self.target, self.measured
        )
    }
}

/// What is promised of one engine.
struct Promise {
    cpu_us: f64,
    /// Of the echo's calls a second, by work.
    shares: [(&'static str, f64); 2],
    p99_ms: f64,
    /// CPU time with many live requests, times the empty store's.
    full: f64,
}

const SQLITE: Promise = Promise {
    cpu_us: 65.0,
    shares: [("send", 0.30), ("verify", 0.28)],
    p99_ms: 10.0,
    full: 1.2,
};

/// Its processes' CPU time counts, too.
const POSTGRES: Promise = Promise {
    cpu_us: 80.0,
    shares: [("send", 0.28), ("verify", 0.28)],
    p99_ms: 12.0,
    full: 1.25,
};

/// How many times as many calls a second as one statement a request through a pool.
const TIMES_POOLED: f64 = 3.0;

/// Every target that the report has figures for.
pub(crate) fn judge(report: &Report) -> Vec<Verdict> {
    let promise = match report.engine {
        Engine::Sqlite => &SQLITE,
        Engine::Postgres => &POSTGRES,
    };
    let mut verdicts = Vec::new();
    for (work, share) in promise.shares {
        let Some(rest) = find(report, work, "REST", 0) else {
            continue;
        };
        verdicts.extend(of_one(rest, promise, share));
        verdicts.extend(of_others(report, rest, promise));
    }
    verdicts.extend(find(report, "token", "REST", 0).and_then(of_token));
    verdicts.extend(of_memory(report));
    if let Some(start) = &report.start {
        verdicts.push(Verdict::at_most(
            "first answer on existing data, ms",
            100.0,
            start.first_answer_ms,
        ));
        let size = megabytes(start.binary_bytes);
        verdicts.push(Verdict::at_most("release binary, MB", 16.0, size));
    }
    verdicts
}

/// What is held against floors of the same run.
fn of_one(rest: &Row, promise: &Promise, share: f64) -> Vec<Verdict> {
    let work = rest.work;
    let mut verdicts = Vec::new();
    if let (Some(echo), Some(measured)) = (rest.echo, rest.share_of_echo()) {
        let scaled = rest.cpu_us * REFERENCE_ECHO_US / echo.cpu_us;
        verdicts.push(Verdict::at_most(
            format!("{work}: CPU us a call, where the echo takes {REFERENCE_ECHO_US}"),
            promise.cpu_us,
            scaled,
        ));
        verdicts.push(Verdict::at_least(
            format!("{work}: calls/s as a share of the echo's"),
            share,
            measured,
        ));
    }
    verdicts.push(Verdict::at_most(
        format!("{work}: p99 ms"),
        promise.p99_ms,
        rest.p99_ms,
    ));
    verdicts.extend(rest.pooled.map(|pooled| {
        Verdict::at_least(
            format!("{work}: calls/s, times a pool's"),
            TIMES_POOLED,
            rest.per_second / pooled.per_second,
        )
    }));
    verdicts
}

/// What is held against other rows.
fn of_others(report: &Report, rest: &Row, promise: &Promise) -> Vec<Verdict> {
    let work = rest.work;
    let mut verdicts = Vec::new();
    if let Some(grpc) = find(report, work, "gRPC", 0) {
        verdicts.push(Verdict::at_most(
            format!("{work}: CPU by gRPC, times REST's"),
            1.15,
            grpc.cpu_us / rest.cpu_us,
        ));
    }
    let mut rows = report.rows.iter();
    if let Some(full) = rows.find(|row| row.work == work && row.prefill > 0) {
        verdicts.push(Verdict::at_most(
            format!("{work}: CPU at {} live requests, times empty", full.prefill),
            promise.full,
            full.cpu_us / rest.cpu_us,
        ));
    }
    verdicts
}

fn of_token(token: &Row) -> Option<Verdict> {
    let share = token.bare?.cpu_us / token.cpu_us;
    Some(Verdict::at_least(
        "token: share of its CPU that bare signing takes",
        0.85,
        share,
    ))
}

fn of_memory(report: &Report) -> Vec<Verdict> {
    let empty = report.memory.iter().filter(|memory| memory.prefill == 0);
    let most = |of: fn(&crate::report::Memory) -> u64| empty.clone().map(of).max();
    let mut verdicts = Vec::new();
    if let (Some(idle), Some(loaded)) = (most(|memory| memory.idle), most(|memory| memory.loaded)) {
        verdicts.push(Verdict::at_most("resident idle, MB", 20.0, megabytes(idle)));
        verdicts.push(Verdict::at_most(
            "resident under load, MB",
            64.0,
            megabytes(loaded),
        ));
    }
    verdicts
}

fn find<'a>(report: &'a Report, work: &str, door: &str, prefill: u64) -> Option<&'a Row> {
    let mut rows = report.rows.iter();
    rows.find(|row| row.work == work && row.door == door && row.prefill == prefill)
}
