//! How many nodes, connections and database cores carry a load: the model of `docs/scaling.md`.

use std::fmt::Write as _;

use clap::Args;

/// Of which loads, and what a sign-in costs. The defaults are those of `docs/scaling.md`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScaleArgs {
    /// Sign-ins a second in the busiest minute, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000])]
    peak: Vec<u32>,
    /// CPU microseconds of a node for a send.
    #[arg(long, default_value_t = 52.0)]
    send: f64,
    /// CPU microseconds of a node for a mail.
    #[arg(long, default_value_t = 230.0)]
    mail: f64,
    /// CPU microseconds of a node for a verify.
    #[arg(long, default_value_t = 57.0)]
    verify: f64,
    /// CPU microseconds of the database for an act, all its processes together.
    #[arg(long, default_value_t = 82.0)]
    database: f64,
    /// Acts of a sign-in on the database.
    #[arg(long, default_value_t = 4.0)]
    acts: f64,
    /// Bytes of the write-ahead log for a sign-in.
    #[arg(long, default_value_t = 3_200.0)]
    log: f64,
    /// Which part of the time a core may be busy, so that there is room for bursts and a lost node.
    #[arg(long, default_value_t = 0.6)]
    busy: f64,
    /// Cores of a node.
    #[arg(long, default_value_t = 4.0)]
    cores: f64,
    /// Connections of a node to the database: `postgres.writers` and `postgres.connections`.
    #[arg(long, default_value_t = 10.0)]
    connections: f64,
}

const HEAD: &str = "\
| Peak sign-ins a second | Node cores | Nodes, one of them spare | Connections | Database cores | Log, MB/s |
|---|---|---|---|---|---|
";

impl ScaleArgs {
    /// The table, in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut table = HEAD.to_owned();
        for peak in &self.peak {
            table.push_str(&self.row(f64::from(*peak)));
        }
        table
    }

    fn row(&self, peak: f64) -> String {
        let cores = peak * (self.send + self.mail + self.verify) / 1e6 / self.busy;
        let nodes = (cores / self.cores).ceil() + 1.0;
        let mut row = String::new();
        let _ = writeln!(
            row,
            "| {peak} | {cores:.1} | {nodes} of {} | {} | {:.1} | {:.0} |",
            self.cores,
            nodes * self.connections,
            peak * self.acts * self.database / 1e6 / self.busy,
            peak * self.log / 1e6,
        );
        row
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::{Args, Command};

    fn table(flags: &str) -> String {
        let words = format!("postern-bench scale {flags}");
        match Args::parse_from(words.split_whitespace()).command {
            Command::Scale(args) => args.table(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_table_in_the_documentation_is_that_of_the_constants_in_it() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scaling.md");
        let page = std::fs::read_to_string(file).unwrap();
        let table = table("");
        assert!(
            page.contains(&table),
            "docs/scaling.md has another one:\n{table}"
        );
    }

    #[test]
    fn what_costs_more_takes_more() {
        let table = table(
            "--peak 1000 --send 100 --mail 400 --verify 100 --cores 1 --database 90 --log 6000",
        );
        assert!(
            table.contains("| 1000 | 1.0 | 2 of 1 | 20 | 0.6 | 6 |"),
            "{table}"
        );
    }
}
