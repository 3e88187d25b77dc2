//! How soon a server answers on existing data, what it holds idle, how big its file is.

use std::{fmt, fs, path::Path, time::Duration};

use serde::Serialize;

use crate::{args::ColdStartArgs, meter::median, report::megabytes, spawn::Home};

/// Long enough for whatever a server does after its first answer.
const IDLE_FOR: Duration = Duration::from_secs(1);

/// The figures of starting.
#[derive(Debug, Serialize)]
pub(crate) struct Start {
    /// From the start of the process to its first answer, where the data was there already.
    pub(crate) first_answer_ms: f64,
    /// Where there was none.
    pub(crate) first_answer_new_data_ms: f64,
    pub(crate) idle_bytes: u64,
    pub(crate) binary_bytes: u64,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "first answer {:.0} ms after the start ({:.0} ms where it makes its data), {:.1} MB \
             resident a second later, binary {:.1} MB",
            self.first_answer_ms,
            self.first_answer_new_data_ms,
            megabytes(self.idle_bytes),
            megabytes(self.binary_bytes),
        )
    }
}

/// The command.
pub(crate) async fn run(args: ColdStartArgs) -> anyhow::Result<()> {
    let start = measure(&args.spawn, args.rounds).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&start)?);
    } else {
        println!("{start}");
    }
    Ok(())
}

/// Medians of so many starts.
pub(crate) async fn measure(program: &Path, rounds: usize) -> anyhow::Result<Start> {
    let home = Home::new(program)?;
    let first = home.start(false).await?;
    let new_data = first.started_in();
    first.stop().await?;
    let mut starts = Vec::new();
    let mut idle_bytes = 0;
    for _ in 0..rounds {
        let started = home.start(false).await?;
        starts.push(started.started_in().as_secs_f64() * 1e3);
        tokio::time::sleep(IDLE_FOR).await;
        idle_bytes = idle_bytes.max(started.process().resident()?);
        started.stop().await?;
    }
    Ok(Start {
        first_answer_ms: median(starts.into_iter()),
        first_answer_new_data_ms: new_data.as_secs_f64() * 1e3,
        idle_bytes,
        binary_bytes: fs::metadata(program)?.len(),
    })
}
