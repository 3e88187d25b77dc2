use std::collections::HashMap;

use async_trait::async_trait;
use postern_core::model::Timestamp;

use super::error::CopyError;
use super::side::{Ends, Page, Side, Span};
use super::tables::Table;
use crate::backup::Ended;
use crate::connect::ConnectError;
use crate::fence::Fence;
use crate::postgres::Failure;
use crate::postgres::bulk::Bulk;
use crate::postgres::column::Kind;
use crate::postgres::look::{Change, Look};
use crate::rows::{Row, Value};
use crate::sqlite::catalog::Shape;

/// The shared engine's side.
pub(super) struct PostgresSide {
    bulk: Bulk,
    /// The types of the columns of each table.
    kinds: HashMap<String, Vec<(String, Kind)>>,
}

impl PostgresSide {
    pub(super) async fn open(url: &str) -> Result<Self, ConnectError> {
        let bulk = Bulk::open(url).await?;
        Ok(Self {
            kinds: bulk.kinds().await?,
            bulk,
        })
    }

    /// The types of the columns that are copied, in their order.
    fn kinds(&self, table: &Table) -> Result<Vec<Kind>, CopyError> {
        let all = self.kinds.get(&table.name);
        let kind = |column: &String| {
            let found = all?.iter().find(|(name, _)| name == column)?;
            Some(found.1)
        };
        let kinds: Option<Vec<Kind>> = table.columns.iter().map(kind).collect();
        kinds.ok_or_else(|| CopyError::Schema(format!("{} is missing", table.name)))
    }

    fn look<'t>(&self, table: &'t Table) -> Result<Look<'t>, CopyError> {
        Ok(Look {
            table: &table.name,
            columns: &table.columns,
            kinds: self.kinds(table)?,
            key: &table.key,
        })
    }
}

#[async_trait]
impl Side for PostgresSide {
    /// The server looks after its own files.
    async fn check(&mut self) -> Result<(), CopyError> {
        let read = self.bulk.read_through().await;
        read.map_err(|failure| match failure {
            Failure::Unreadable(_) => CopyError::Damaged(failure.to_string()),
            other => CopyError::doing("reading the source")(other),
        })
    }

    async fn shapes(&mut self) -> Result<Vec<Shape>, CopyError> {
        let keys = self
            .bulk
            .keys()
            .await
            .map_err(CopyError::doing("reading the schema"))?;
        let shape = |(table, columns): (&String, &Vec<(String, Kind)>)| Shape {
            table: table.clone(),
            columns: columns.iter().map(|(name, _)| name.clone()).collect(),
            key: keys.get(table).cloned().unwrap_or_default(),
        };
        Ok(self.kinds.iter().map(shape).collect())
    }

    async fn count(&mut self, table: &str) -> Result<u64, CopyError> {
        let counted = self
            .bulk
            .number(&format!("SELECT COUNT(*) FROM \"{table}\""))
            .await;
        let counted = counted.map_err(CopyError::doing(format!("counting {table}")))?;
        Ok(counted.unsigned_abs())
    }

    async fn rows(
        &mut self,
        table: &Table,
        span: Span<'_>,
        limit: Option<usize>,
    ) -> Result<Page, CopyError> {
        let look = self.look(table)?;
        let rows = self.bulk.rows(&look, span.after, span.until, limit).await;
        let rows = rows.map_err(CopyError::doing(format!("reading {}", table.name)))?;
        let more = limit.is_some_and(|limit| rows.len() >= limit);
        Ok(Page { rows, more })
    }

    async fn write(
        &mut self,
        table: &Table,
        put: &[Row],
        drop: &[Row],
        mark: &str,
    ) -> Result<(), CopyError> {
        let mut own: Vec<(String, Vec<Value>)> = Vec::new();
        for (name, number) in table.own {
            own.push(((*name).to_owned(), vec![Value::Int(*number); put.len()]));
        }
        let look = self.look(table)?;
        let change = Change {
            put,
            own: &own,
            drop,
            mark,
        };
        let written = self.bulk.write(&look, &change).await;
        written.map_err(CopyError::doing(format!("writing {}", table.name)))
    }

    async fn ends(&mut self) -> Result<Ends, CopyError> {
        let reading = || CopyError::doing("reading the log's cursor");
        let revision = "SELECT revision FROM registry WHERE id = 1";
        let number = "SELECT number FROM log_cursor WHERE id = 2";
        Ok(Ends {
            revision: self.bulk.number(revision).await.map_err(reading())?,
            event: self.bulk.last_in_log().await.map_err(reading())?,
            number: self.bulk.number(number).await.map_err(reading())?,
        })
    }

    async fn finish(&mut self, ends: &Ends) -> Result<(), CopyError> {
        let finished = self
            .bulk
            .finish(ends.revision, ends.event, ends.number)
            .await;
        finished.map_err(CopyError::doing("finishing the log"))
    }

    async fn fence(&mut self) -> Result<Option<(Fence, Option<String>)>, CopyError> {
        let fence = self.bulk.fence().await;
        fence.map_err(CopyError::doing("reading the fence"))
    }

    async fn put_fence(&mut self, fence: Option<&Fence>) -> Result<(), CopyError> {
        let put = self.bulk.put_fence(fence).await;
        put.map_err(CopyError::doing("fencing the store"))
    }

    async fn end_open(&mut self, now: Timestamp) -> Result<Ended, CopyError> {
        let ended = self.bulk.end_open(now).await;
        ended.map_err(CopyError::doing("ending what is open"))
    }

    async fn settle_log(&mut self) -> Result<(), CopyError> {
        let settled = self.bulk.settle_log().await;
        settled.map_err(CopyError::doing(
            "bringing the authentication log to its end",
        ))
    }
}
