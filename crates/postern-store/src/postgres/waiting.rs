//! Events that the log has not taken in yet. See [`super::project`].

use std::collections::HashSet;

use tokio_postgres::types::Type;

use super::event::{self, Row};
use super::failure::Failure;
use super::session::{Session, Sql};
use super::value::{Id, get};

/// Ids that one row names at most: few enough that it is kept as it is, beside no other table.
const RUN: usize = 64;
/// Rows that are read at once.
const PAGE: i64 = 512;

/// The rows for these ids: the first of each, and all of each.
pub(super) fn runs(ids: &[Id]) -> (Vec<Id>, Vec<Vec<u8>>) {
    ids.chunks(RUN)
        .filter_map(|run| Some((*run.first()?, bytes(run))))
        .unzip()
}

fn bytes(ids: &[Id]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.0).collect()
}

/// What was written in one commit, or a part of it.
struct Run {
    first: Id,
    ids: Vec<Id>,
}

/// What the next piece of the log is made of.
pub(super) struct Next {
    firsts: Vec<Id>,
    /// Its events.
    pub(super) ids: Vec<Id>,
    /// Whether others wait behind it.
    pub(super) more: bool,
}

/// The oldest that wait, until they name `enough` events.
pub(super) async fn next(session: &Session, enough: usize) -> Result<Next, Failure> {
    let runs = page(session, Id([0; 16])).await?;
    let whole = i64::try_from(runs.len()) == Ok(PAGE);
    let mut next = Next {
        firsts: Vec::new(),
        ids: Vec::new(),
        more: false,
    };
    for run in &runs {
        if next.ids.len() >= enough {
            break;
        }
        next.firsts.push(run.first);
        next.ids.extend_from_slice(&run.ids);
    }
    next.more = whole || next.firsts.len() < runs.len();
    Ok(next)
}

/// Runs behind this one.
async fn page(session: &Session, after: Id) -> Result<Vec<Run>, Failure> {
    static PAGE_OF: Sql = Sql {
        text: "SELECT first, ids FROM log_waiting WHERE first > $1 ORDER BY first LIMIT $2",
        types: &[Type::UUID, Type::INT8],
    };
    let rows = session.query(&PAGE_OF, &[&after, &PAGE]).await?;
    let run = |row: &tokio_postgres::Row| {
        let ids = get::<&[u8]>(row, 1)?.as_chunks::<16>().0;
        Ok(Run {
            first: get(row, 0)?,
            ids: ids.iter().map(|id| Id(*id)).collect(),
        })
    };
    rows.iter().map(run).collect()
}

impl Next {
    /// Takes out the events of these requests that wait further behind, until each was opened.
    pub(super) async fn pull(
        &self,
        session: &Session,
        requests: &[Id],
    ) -> Result<Vec<Row>, Failure> {
        let (mut pulled, mut after) = (Vec::new(), self.firsts.last().copied());
        let mut unopened: HashSet<Id> = requests.iter().copied().collect();
        while let Some(last) = after
            && !unopened.is_empty()
        {
            let runs = page(session, last).await?;
            let ids: Vec<Id> = runs.iter().flat_map(|run| run.ids.clone()).collect();
            let found = event::of_requests(session, &ids, requests).await?;
            let gone: HashSet<Id> = found.iter().map(|(id, _)| Id(*id)).collect();
            for run in &runs {
                run.lose(session, &gone).await?;
            }
            for (_, told) in found.iter().filter(|row| event::opens(row)) {
                let opened = told.first().and_then(|event| event.request);
                opened.map(|request| unopened.remove(&Id::from(request)));
            }
            pulled.extend(found);
            after = runs.last().map(|run| run.first);
        }
        Ok(pulled)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.firsts.is_empty()
    }

    /// They wait no longer.
    pub(super) async fn done(&self, session: &Session) -> Result<(), Failure> {
        static DONE: Sql = Sql {
            text: "DELETE FROM log_waiting WHERE first = ANY($1)",
            types: &[Type::UUID_ARRAY],
        };
        session.execute(&DONE, &[&self.firsts]).await.map(drop)
    }
}

impl Run {
    /// Writes it without the ids that are gone, should it have any of them.
    async fn lose(&self, session: &Session, gone: &HashSet<Id>) -> Result<(), Failure> {
        static KEEP: Sql = Sql {
            text: "UPDATE log_waiting SET ids = $2 WHERE first = $1",
            types: &[Type::UUID, Type::BYTEA],
        };
        let kept: Vec<Id> = self
            .ids
            .iter()
            .filter(|id| !gone.contains(id))
            .copied()
            .collect();
        if kept.len() == self.ids.len() {
            return Ok(());
        }
        let params: [super::session::Param<'_>; 2] = [&self.first, &bytes(&kept)];
        session.execute(&KEEP, &params).await.map(drop)
    }
}

/// Takes up events of nodes of the release before, which only leave them without a place; whether there
/// may be more.
pub(super) async fn adopt(session: &Session) -> Result<bool, Failure> {
    static LEFT: Sql = Sql {
        text: "SELECT id FROM events WHERE place IS NULL ORDER BY id LIMIT $1",
        types: &[Type::INT8],
    };
    static ADOPT: Sql = Sql {
        text: "WITH adopted AS (UPDATE events SET place = 0 WHERE id = ANY($1)) \
               INSERT INTO log_waiting (first, ids) SELECT * FROM unnest($2, $3)",
        types: &[Type::UUID_ARRAY, Type::UUID_ARRAY, Type::BYTEA_ARRAY],
    };
    let rows = session.query(&LEFT, &[&PAGE]).await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let ids: Vec<Id> = rows
        .iter()
        .map(|row| get(row, 0))
        .collect::<Result<_, _>>()?;
    let (firsts, runs) = runs(&ids);
    session.execute(&ADOPT, &[&ids, &firsts, &runs]).await?;
    Ok(i64::try_from(rows.len()) == Ok(PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_named_in_runs_that_begin_with_their_first() {
        let ids: Vec<Id> = (0..150).map(|n: u8| Id([n; 16])).collect();
        let (firsts, all) = runs(&ids);
        assert_eq!(firsts, [Id([0; 16]), Id([64; 16]), Id([128; 16])]);
        assert_eq!(all.iter().map(Vec::len).sum::<usize>(), 150 * 16);
        assert_eq!(all[2], bytes(&ids[128..]));
        assert!(runs(&[]).0.is_empty());
    }
}
