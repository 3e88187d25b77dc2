//! A PostgreSQL for the run, whose processes' CPU time counts as the server's.

use anyhow::Context;
use postern_testkit::postgres::{Keeps, Postgres};

use crate::{args::Engine, process::Process};

/// A PostgreSQL of the run's own, which commits as durably as any, and a database in it.
pub(crate) struct Database {
    postgres: Postgres,
    url: String,
}

impl Database {
    /// The database of an engine that needs one.
    pub(crate) fn of(engine: Engine) -> anyhow::Result<Option<Self>> {
        match engine {
            Engine::Sqlite => Ok(None),
            Engine::Postgres => Self::start().map(Some),
        }
    }

    fn start() -> anyhow::Result<Self> {
        let postgres = Postgres::start(Keeps::Everything)?;
        let url = postgres.database();
        Ok(Self { postgres, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A fresh database beside it, for what is compared with the server.
    pub(crate) fn another(&self) -> String {
        self.postgres.database()
    }

    /// Does now what the database server would otherwise do some time after so much was written.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let name = self.url.trim_start_matches("postgres:///");
        let name = name.split('?').next().unwrap_or_default();
        for words in ["VACUUM ANALYZE", "CHECKPOINT"] {
            self.postgres.psql(name, words)?;
        }
        Ok(())
    }

    /// The first process of the database server.
    pub(crate) fn process(&self) -> anyhow::Result<Process> {
        self.postgres.id().map(Process).context("PostgreSQL runs")
    }
}
