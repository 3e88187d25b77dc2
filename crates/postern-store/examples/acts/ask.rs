//! What is asked for on the command line.

use std::time::Duration;

use postern_store::{Checkpoints, PostgresTuning, Tuning};

use crate::work::Kind;

/// How a store is opened for a row of figures, and what that row is called.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) tuning: Tuning,
}

/// The whole of it.
pub(crate) struct Ask {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) callers: usize,
    pub(crate) span: Duration,
    pub(crate) rows: usize,
    /// Requests that are there when an act other than a send is measured; it ends when they are used up.
    pub(crate) stock: usize,
    /// How often each plan has its turn.
    pub(crate) rounds: usize,
    /// On a PostgreSQL made for the run.
    pub(crate) postgres: bool,
    /// Whether each act is measured once more while backups are taken.
    pub(crate) backup: bool,
    pub(crate) plans: Vec<Plan>,
}

struct Words<'a>(&'a [String]);

impl Words<'_> {
    fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|word| word == flag)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let at = self.0.iter().position(|word| word == name)?;
        self.0.get(at + 1).map(String::as_str)
    }

    fn number(&self, name: &str, default: usize) -> usize {
        let value = self.value(name);
        value.map_or(default, |text| text.parse().expect("a whole number"))
    }

    /// Several, with commas between them.
    fn numbers(&self, name: &str, default: usize) -> Vec<usize> {
        let parse = |text: &str| {
            text.parse()
                .expect("whole numbers with commas between them")
        };
        self.value(name)
            .map_or(vec![default], |list| list.split(',').map(parse).collect())
    }
}

impl Ask {
    pub(crate) fn parse(words: &[String]) -> Self {
        let words = Words(words);
        let kinds = words.value("--acts");
        let callers = words.number("--callers", 64);
        let postgres = words.value("--engine") == Some("postgres");
        Self {
            kinds: kinds.map_or(Kind::ALL.to_vec(), |names| {
                names.split(',').map(Kind::parse).collect()
            }),
            callers,
            span: Duration::from_secs(
                u64::try_from(words.number("--seconds", 3)).expect("seconds"),
            ),
            rows: words.number("--rows", 0),
            stock: words.number("--stock", if postgres { 40_000 } else { 150_000 }),
            rounds: words.number("--rounds", 1),
            postgres,
            backup: words.has("--backup"),
            plans: if postgres {
                groups(&words, callers)
            } else {
                checkpoints(&words, callers)
            },
        }
    }
}

fn base(callers: usize) -> Tuning {
    Tuning {
        queue: callers.max(1024),
        ..Tuning::default()
    }
}

/// Every number of writers with every size of a group.
fn groups(words: &Words<'_>, callers: usize) -> Vec<Plan> {
    let standard = PostgresTuning::default();
    let writers = words.numbers("--writers", standard.writers);
    let plan = |writers: usize, group: usize| Plan {
        name: format!("{writers} x {group}"),
        tuning: Tuning {
            postgres: PostgresTuning {
                writers,
                group,
                ..standard
            },
            ..base(callers)
        },
    };
    let plan = &plan;
    let groups = words.numbers("--group", standard.group);
    let each = |writers: usize| groups.iter().map(move |group| plan(writers, *group));
    writers.into_iter().flat_map(each).collect()
}

/// One way of carrying the write-ahead log over, or those that the experiment compares.
fn checkpoints(words: &Words<'_>, callers: usize) -> Vec<Plan> {
    let every = match words.value("--every") {
        Some("none") => None,
        other => Some(other.map_or(25, |text| text.parse().expect("milliseconds"))),
    };
    let frames = u32::try_from(words.number("--frames", 10_000)).expect("frames");
    let mut ways = vec![(every, frames)];
    if words.has("--experiment") {
        let sizes = [1_000, 4_000, 10_000, 20_000, 40_000];
        let cadences = [None, Some(25), Some(100)].into_iter();
        ways = cadences
            .flat_map(|every| sizes.map(|frames| (every, frames)))
            .collect();
    }
    let plan = |(every, frames): (Option<u64>, u32)| Plan {
        name: match every {
            Some(every) => format!("{every} ms, {frames}"),
            None => format!("never, {frames}"),
        },
        tuning: Tuning {
            checkpoints: Checkpoints {
                every: every.map(Duration::from_millis),
                frames,
            },
            ..base(callers)
        },
    };
    ways.into_iter().map(plan).collect()
}
