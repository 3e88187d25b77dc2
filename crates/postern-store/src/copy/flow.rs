use std::path::Path;
use std::sync::Arc;

use postern_core::model::Timestamp;
use postern_core::ports::Clock;
use serde::{Deserialize, Serialize};

use super::error::CopyError;
use super::postgres_side::PostgresSide;
use super::side::{Page, Place, Side, Span};
use super::sqlite_side::SqliteSide;
use super::tables::{self, Table};
use crate::backup::Ended;
use crate::connect::{Tuning, migrate};
use crate::data_dir::{DataDir, store_file};
use crate::fence::{Fence, FenceKind};
use crate::progress::{Progress, Watcher};
use crate::rows::{Row, Tally, Tallying, Value};
use crate::sqlite::SqliteStore;

/// Rows that are read and written together.
const PIECE: usize = 2000;

/// What a copy did.
#[derive(Clone, Debug)]
pub struct Copied {
    /// What every table holds, on both sides.
    pub tables: Vec<Tally>,
    /// Whether it went on with a copy that had been broken off.
    pub resumed: bool,
}

/// How far a copy has come, as its target remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mark {
    /// Whether the source was gone through once.
    through: bool,
    /// The table it stands in, and the last key that was written.
    table: String,
    after: Vec<Value>,
}

/// Copies the store `from` into the empty store `to` of the other engine, and verifies the copy.
///
/// The source may be served meanwhile. Before the end it is fenced: its servers answer UNAVAILABLE and
/// start no more, and stay so. A copy that is broken off goes on when it is asked for again.
///
/// # Errors
/// A store cannot be reached or is not fit, or the copy is not like its source. The target cannot be
/// served until a copy into it has ended well.
pub async fn copy(
    from: &Place,
    to: &Place,
    clock: Arc<dyn Clock>,
    watcher: Watcher<'_>,
) -> Result<Copied, CopyError> {
    refuse_alike(from, to)?;
    let mut source = open_source(from).await?;
    refuse_busy(source.as_mut(), &to.shown()).await?;
    watcher(Progress {
        step: "checking the source",
        done: 0,
        of: 0,
    });
    source.check().await?;
    let _held = match to {
        Place::Dir(dir) => Some(DataDir::open(dir)?),
        Place::Url(_) => None,
    };
    bring_up(to, &clock).await?;
    let mut target = open_side(to).await?;
    let (here, there) = (source.shapes().await?, target.shapes().await?);
    let tables = match from {
        Place::Dir(_) => tables::plan(&here, &there)?,
        Place::Url(_) => tables::plan(&there, &here)?,
    };
    let now = clock.now();
    let (mark, resumed) = begin(target.as_mut(), &tables, &from.shown(), now).await?;
    let mut work = Work {
        source: source.as_mut(),
        target: target.as_mut(),
        tables: &tables,
        watcher,
    };
    work.go_through(mark).await?;
    work.fence(&to.shown(), now).await?;
    let tallies = work.catch_up().await?;
    work.verify(&tallies).await?;
    target.put_fence(None).await?;
    Ok(Copied {
        tables: tallies,
        resumed,
    })
}

/// Takes a store's fence away, so that it can be served again. Answers the fence that stood there, and what
/// was ended before: requests and sessions of a store that was copied away may have been used in the copy.
///
/// # Errors
/// The store cannot be reached, or is half filled: that is none to serve.
pub async fn lift(place: &Place, clock: &dyn Clock) -> Result<Option<(Fence, Ended)>, CopyError> {
    let mut side = open_source(place).await?;
    let Some((fence, _)) = side.fence().await? else {
        return Ok(None);
    };
    if fence.kind == FenceKind::BeingFilled {
        return Err(CopyError::Target(fence.to_string()));
    }
    let ended = side.end_open(clock.now()).await?;
    side.put_fence(None).await?;
    Ok(Some((fence, ended)))
}

/// Ends every open auth request, admin session and invitation of a store whose database was put back
/// to an earlier state by its own means: they may have been used since.
///
/// # Errors
/// The store cannot be reached.
pub async fn end_open(place: &Place, clock: &dyn Clock) -> Result<Ended, CopyError> {
    open_source(place).await?.end_open(clock.now()).await
}

fn refuse_alike(from: &Place, to: &Place) -> Result<(), CopyError> {
    let told = match (from, to) {
        (Place::Dir(_), Place::Dir(_)) => {
            "`postern backup` and `postern restore` copy one data directory to another"
        }
        (Place::Url(_), Place::Url(_)) => "PostgreSQL's own tools copy one database to another",
        _ => return Ok(()),
    };
    Err(CopyError::Place(told.to_owned()))
}

async fn open_source(place: &Place) -> Result<Box<dyn Side>, CopyError> {
    if let Place::Dir(dir) = place {
        let file = store_file(dir);
        if !file.is_file() {
            let told = format!("there is no store at {}", file.display());
            return Err(CopyError::Place(told));
        }
        SqliteStore::check(&file)?;
    }
    if let Place::Url(url) = place {
        crate::postgres::check(url).await?;
    }
    open_side(place).await
}

async fn open_side(place: &Place) -> Result<Box<dyn Side>, CopyError> {
    Ok(match place {
        Place::Dir(dir) => Box::new(SqliteSide::open(&store_file(dir))?),
        Place::Url(url) => Box::new(PostgresSide::open(url).await?),
    })
}

async fn bring_up(place: &Place, clock: &Arc<dyn Clock>) -> Result<(), CopyError> {
    let url = match place {
        Place::Dir(dir) => format!("sqlite:{}", Path::new(&store_file(dir)).display()),
        Place::Url(url) => url.clone(),
    };
    migrate(&url, Arc::clone(clock), Tuning::default()).await?;
    Ok(())
}

/// A source may be fenced by this copy's earlier run, and by nothing else.
async fn refuse_busy(source: &mut dyn Side, to: &str) -> Result<(), CopyError> {
    match source.fence().await? {
        Some((fence, _)) if fence.kind != FenceKind::CopiedAway || fence.other != to => {
            Err(CopyError::Source(fence))
        }
        _ => Ok(()),
    }
}

/// Claims the target: empty, or filled by this copy as far as its mark says.
async fn begin(
    target: &mut dyn Side,
    tables: &[Table],
    from: &str,
    now: Timestamp,
) -> Result<(Mark, bool), CopyError> {
    if let Some((fence, mark)) = target.fence().await? {
        if fence.kind != FenceKind::BeingFilled || fence.other != from {
            return Err(CopyError::Target(fence.to_string()));
        }
        let mark = mark.and_then(|mark| serde_json::from_str(&mark).ok());
        return Ok((mark.unwrap_or_default(), true));
    }
    for table in tables {
        let rows = target.count(&table.name).await?;
        if rows > 0 {
            let told = format!("the target is not empty: {} has {rows} rows", table.name);
            return Err(CopyError::Target(told));
        }
    }
    let fence = Fence {
        at: now,
        kind: FenceKind::BeingFilled,
        other: from.to_owned(),
    };
    target.put_fence(Some(&fence)).await?;
    Ok((Mark::default(), false))
}

struct Work<'w> {
    source: &'w mut dyn Side,
    target: &'w mut dyn Side,
    tables: &'w [Table],
    watcher: Watcher<'w>,
}

impl Work<'_> {
    /// The first time through, while the source is served; from the mark on.
    async fn go_through(&mut self, mark: Mark) -> Result<(), CopyError> {
        if mark.through {
            return Ok(());
        }
        let tables = self.tables;
        let at = tables.iter().position(|table| table.name == mark.table);
        let mut after = at.map(|_| mark.after);
        for table in &tables[at.unwrap_or(0)..] {
            let from = after.take().filter(|after| !after.is_empty());
            self.bring_over(table, from, false, "copying").await?;
        }
        Ok(())
    }

    /// Ends the writing at the source.
    async fn fence(&mut self, to: &str, now: Timestamp) -> Result<(), CopyError> {
        self.tell("fencing the source", 0, 0);
        if self.source.fence().await?.is_none() {
            let fence = Fence {
                at: now,
                kind: FenceKind::CopiedAway,
                other: to.to_owned(),
            };
            self.source.put_fence(Some(&fence)).await?;
        }
        self.source.settle_log().await
    }

    /// Everything that changed since, now that nothing changes; answers what the source holds.
    async fn catch_up(&mut self) -> Result<Vec<Tally>, CopyError> {
        let mut tallies = Vec::new();
        for table in self.tables {
            tallies.push(self.bring_over(table, None, true, "catching up").await?);
        }
        let ends = self.source.ends().await?;
        self.target.finish(&ends).await?;
        Ok(tallies)
    }

    /// Makes a table of the target like the source's, piece by piece.
    async fn bring_over(
        &mut self,
        table: &Table,
        mut after: Option<Row>,
        through: bool,
        doing: &str,
    ) -> Result<Tally, CopyError> {
        let (of, mut done) = (self.source.count(&table.name).await?, 0);
        let step = format!("{doing} {}", table.name);
        let mut tallying = Tallying::new();
        loop {
            let span = Span {
                after: after.as_deref(),
                until: None,
            };
            let Page { rows, more } = self.source.rows(table, span, Some(PIECE)).await?;
            let until = rows.last().filter(|_| more).map(|row| key(table, row));
            let span = Span {
                until: until.as_deref(),
                ..span
            };
            let held = self.target.rows(table, span, None).await?.rows;
            let (put, drop) = differences(table, &rows, &held);
            let mark = Mark {
                through,
                table: table.name.clone(),
                after: until.clone().unwrap_or_default(),
            };
            let mark = serde_json::to_string(&mark).map_err(CopyError::doing("the mark"))?;
            if !(put.is_empty() && drop.is_empty()) {
                self.target.write(table, &put, &drop, &mark).await?;
            }
            for row in &rows {
                tallying.add(row);
            }
            done += u64::try_from(rows.len()).unwrap_or(0);
            self.tell(&step, done, of.max(done));
            if !more {
                return Ok(tallying.end(&table.name));
            }
            after = until;
        }
    }

    /// Reads the target through by itself and compares it with what the source holds.
    async fn verify(&mut self, tallies: &[Tally]) -> Result<(), CopyError> {
        for (table, source) in self.tables.iter().zip(tallies) {
            let step = format!("verifying {}", table.name);
            let (mut tallying, mut after, mut done): (_, Option<Row>, u64) =
                (Tallying::new(), None, 0);
            loop {
                let span = Span {
                    after: after.as_deref(),
                    until: None,
                };
                let Page { rows, more } = self.target.rows(table, span, Some(PIECE)).await?;
                for row in &rows {
                    tallying.add(row);
                }
                done += u64::try_from(rows.len()).unwrap_or(0);
                self.tell(&step, done, source.rows);
                if !more {
                    break;
                }
                after = rows.last().map(|row| key(table, row));
            }
            let target = tallying.end(&table.name);
            if target != *source {
                return Err(CopyError::Differs {
                    table: table.name.clone(),
                    rows: source.rows,
                    copied: target.rows,
                });
            }
        }
        if self.source.ends().await?.revision != self.target.ends().await?.revision {
            return Err(CopyError::Target(
                "the registry's revision was not copied".to_owned(),
            ));
        }
        Ok(())
    }

    fn tell(&mut self, step: &str, done: u64, of: u64) {
        (self.watcher)(Progress { step, done, of });
    }
}

fn key(table: &Table, row: &Row) -> Row {
    table.key.iter().map(|at| row[*at].clone()).collect()
}

/// What has to be put and dropped so that `held` becomes `rows`; both are in the order of their keys.
fn differences(table: &Table, rows: &[Row], held: &[Row]) -> (Vec<Row>, Vec<Row>) {
    let (mut put, mut drop) = (Vec::new(), Vec::new());
    let mut held = held.iter().peekable();
    for row in rows {
        let own = key(table, row);
        while let Some(gone) = held.next_if(|other| key(table, other) < own) {
            drop.push(key(table, gone));
        }
        match held.next_if(|other| key(table, other) == own) {
            Some(same) if same == row => {}
            _ => put.push(row.clone()),
        }
    }
    drop.extend(held.map(|gone| key(table, gone)));
    (put, drop)
}
