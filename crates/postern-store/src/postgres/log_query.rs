//! Looking into the authentication log.
//!
//! A query for an address goes by its index, one for lost mails by theirs. Any other walks the segments from the newest and passes
//! over those that cannot hold what it asks for, by their counts and their spans of time; what it
//! counts, it counts by whole segments where it can.

use std::collections::HashMap;

use async_trait::async_trait;
use postern_core::model::{AddressKey, AuthRequestId, ClientId, Event, LogEntry, Tally, Timestamp};
use postern_core::ports::{Log, LogPage, LogPlace, LogQuery, StoreError};
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::log::{self, Numbered, SEGMENT};
use super::session::{Param, Session, Sql};
use super::value::{Id, get};
use super::{PostgresStore, project, tallies};

#[async_trait]
impl Log for PostgresStore {
    async fn project(&self) -> Result<bool, StoreError> {
        let _alone = self.projecting.lock().await;
        let held = self.pool.take().await?;
        let done = held.transact(held.in_time(project::project(&held))).await;
        held.ended(done)
    }

    async fn log(&self, query: LogQuery) -> Result<LogPage, StoreError> {
        let held = self.pool.take().await?;
        // Walks as many segments as it has to: each statement is short, all of them may not be.
        let page = page(&held, &query).await;
        held.end(page)
    }

    async fn find_logged(&self, id: AuthRequestId) -> Result<Option<LogEntry>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(log::find_all(&held, &[id.into()])).await;
        let found = found.map(|mut found| found.remove(&id).map(|(_, entry)| entry));
        held.end(found)
    }

    async fn refusals(&self, address: AddressKey) -> Result<Vec<Event>, StoreError> {
        let held = self.pool.take().await?;
        let found = held.in_time(log::refusals(&held, address)).await;
        held.end(found)
    }

    async fn tallies(
        &self,
        from: Timestamp,
        to: Timestamp,
        minutes: u32,
    ) -> Result<Vec<(Timestamp, Tally)>, StoreError> {
        let held = self.pool.take().await?;
        let found = held
            .in_time(tallies::read(&held, (from, to), minutes))
            .await;
        held.end(found)
    }
}

/// What narrows a query, as parameters: null asks for nothing.
struct Filter {
    client: Option<String>,
    without: Option<String>,
    statuses: Option<Vec<i16>>,
    from: i64,
    to: i64,
    address: Option<Id>,
    lost: bool,
}

impl Filter {
    fn of(query: &LogQuery) -> Self {
        let statuses = query
            .statuses
            .iter()
            .map(|status| i16::from(status.number()));
        Self {
            client: query.client.as_ref().map(ClientId::to_string),
            without: query.without.as_ref().map(ClientId::to_string),
            statuses: (!query.statuses.is_empty()).then(|| statuses.collect()),
            from: query.from.map_or(i64::MIN, Timestamp::micros),
            to: query.to.map_or(i64::MAX, Timestamp::micros),
            address: query.address.map(Id::from),
            lost: query.lost,
        }
    }

    /// By which index it is answered.
    fn finding(&self) -> &'static Finding {
        match (self.address, self.lost) {
            (Some(_), _) => &BY_ADDRESS,
            (None, true) => &BY_LOST,
            (None, false) => &BY_NUMBER,
        }
    }
}

/// A run of numbers that may hold what is asked for.
struct Run {
    first: i64,
    end: i64,
    /// How many entries are asked for in it, where its counts say so.
    count: Option<u64>,
}

async fn page(session: &Session, query: &LogQuery) -> Result<LogPage, Failure> {
    let filter = Filter::of(query);
    let runs = if filter.address.is_some() || filter.lost {
        vec![Run {
            first: i64::MIN,
            end: i64::MAX,
            count: None,
        }]
    } else {
        segments(session, &filter).await?
    };
    let limit = query.limit.max(1);
    let backwards = matches!(query.place, LogPlace::After(_));
    let mut found = match query.place {
        LogPlace::Newest => older(session, &filter, &runs, i64::MAX, limit + 1).await?,
        LogPlace::Before(number) => older(session, &filter, &runs, number, limit + 1).await?,
        LogPlace::After(number) => newer(session, &filter, &runs, number, limit + 1).await?,
    };
    let more = found.len() > limit;
    found.truncate(limit);
    if backwards {
        found.reverse();
    }
    let first = found.first().map(|(number, _)| *number);
    let last = found.last().map(|(number, _)| *number);
    let newest = query.place == LogPlace::Newest;
    Ok(LogPage {
        newer: first.filter(|_| if backwards { more } else { !newest }),
        older: last.filter(|_| backwards || more),
        total: total(session, &filter, &runs).await?,
        entries: found.into_iter().map(|(_, entry)| entry).collect(),
    })
}

/// The segments that may hold what is asked for, newest first.
async fn segments(session: &Session, filter: &Filter) -> Result<Vec<Run>, Failure> {
    static SPANS: Sql = Sql {
        text: "SELECT segment, first_at >= $1 AND last_at <= $2 FROM log_segments \
               WHERE last_at >= $1 AND first_at <= $2 ORDER BY segment DESC",
        types: &[Type::INT8, Type::INT8],
    };
    static COUNTS: Sql = Sql {
        text: "SELECT segment, sum(count)::int8 FROM log_counts WHERE count > 0 AND ($1 IS NULL OR client = $1) \
               AND ($2 IS NULL OR status = ANY($2)) AND ($3 IS NULL OR client <> $3) GROUP BY segment",
        types: &[Type::TEXT, Type::INT2_ARRAY, Type::TEXT],
    };
    let mut counts: HashMap<i64, u64> = HashMap::new();
    for row in session
        .query(
            &COUNTS,
            &[&filter.client, &filter.statuses, &filter.without],
        )
        .await?
    {
        let count = u64::try_from(get::<i64>(&row, 1)?).unwrap_or(0);
        counts.insert(get(&row, 0)?, count);
    }
    let mut runs = Vec::new();
    for row in session.query(&SPANS, &[&filter.from, &filter.to]).await? {
        let segment: i64 = get(&row, 0)?;
        if let Some(count) = counts.get(&segment).filter(|count| **count > 0) {
            runs.push(Run {
                first: segment * SEGMENT,
                end: (segment + 1) * SEGMENT,
                count: get::<bool>(&row, 1)?.then_some(*count),
            });
        }
    }
    Ok(runs)
}

/// Entries that are older than `number`, newest first.
async fn older(
    session: &Session,
    filter: &Filter,
    runs: &[Run],
    number: i64,
    limit: usize,
) -> Result<Vec<Numbered>, Failure> {
    let mut found = Vec::new();
    for run in runs {
        let end = number.min(run.end);
        if run.first < end && found.len() < limit {
            let (sql, span) = (&filter.finding().older, (run.first, end));
            found.extend(within(session, sql, filter, span, limit - found.len()).await?);
        }
    }
    Ok(found)
}

/// Entries that are newer than `number`, oldest first.
async fn newer(
    session: &Session,
    filter: &Filter,
    runs: &[Run],
    number: i64,
    limit: usize,
) -> Result<Vec<Numbered>, Failure> {
    let mut found = Vec::new();
    for run in runs.iter().rev() {
        let first = run.first.max(number.saturating_add(1));
        if first < run.end && found.len() < limit {
            let (sql, span) = (&filter.finding().newer, (first, run.end));
            found.extend(within(session, sql, filter, span, limit - found.len()).await?);
        }
    }
    Ok(found)
}

const TYPES: &[Type] = &[
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT2_ARRAY,
    Type::INT8,
    Type::INT8,
    Type::UUID,
    Type::INT8,
    Type::TEXT,
    Type::BOOL,
];

/// A statement that finds entries by one of their indexes: between two numbers in the column `$place`, with the
/// condition of `$by`.
macro_rules! finding {
    (count $place:literal $by:literal) => {
        finding!("SELECT count(*) FROM (SELECT 1", $place, $by, "LIMIT $8) AS found")
    };
    (entries $place:literal $by:literal $order:literal) => {
        finding!(
            "SELECT number, id, at, client, address, email, status, last_at, last, events, lost IS NOT NULL",
            $place,
            $by,
            concat!("ORDER BY ", $place, $order, " LIMIT $8")
        )
    };
    ($what:literal, $place:literal, $by:literal, $end:expr) => {
        Sql {
            text: concat!(
                $what, " FROM log_requests WHERE ", $by, $place, " >= $1 AND ", $place, " < $2 \
                 AND ($3 IS NULL OR client = $3) AND ($4 IS NULL OR status = ANY($4)) AND at >= $5 AND at <= $6 \
                 AND ($9 IS NULL OR client <> $9) AND (NOT $10 OR lost IS NOT NULL) ", $end
            ),
            types: TYPES,
        }
    };
}

/// The three questions that are asked by one index.
struct Finding {
    older: Sql,
    newer: Sql,
    counted: Sql,
}

static BY_NUMBER: Finding = Finding {
    older: finding!(entries "number" "" " DESC"),
    newer: finding!(entries "number" "" ""),
    counted: finding!(count "number" ""),
};

static BY_ADDRESS: Finding = Finding {
    older: finding!(entries "number" "address = $7 AND " " DESC"),
    newer: finding!(entries "number" "address = $7 AND " ""),
    counted: finding!(count "number" "address = $7 AND "),
};

static BY_LOST: Finding = Finding {
    older: finding!(entries "lost" "" " DESC"),
    newer: finding!(entries "lost" "" ""),
    counted: finding!(count "lost" ""),
};

async fn within(
    session: &Session,
    sql: &Sql,
    filter: &Filter,
    span: (i64, i64),
    limit: usize,
) -> Result<Vec<Numbered>, Failure> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = asked(session, sql, filter, span, limit).await?;
    rows.iter().map(log::read).collect()
}

async fn asked(
    session: &Session,
    sql: &Sql,
    filter: &Filter,
    span: (i64, i64),
    limit: i64,
) -> Result<Vec<tokio_postgres::Row>, Failure> {
    let params: [Param<'_>; 10] = [
        &span.0,
        &span.1,
        &filter.client,
        &filter.statuses,
        &filter.from,
        &filter.to,
        &filter.address,
        &limit,
        &filter.without,
        &filter.lost,
    ];
    session.in_time(session.query(sql, &params)).await
}

/// How many entries there are, exact up to what is promised.
async fn total(session: &Session, filter: &Filter, runs: &[Run]) -> Result<u64, Failure> {
    let most = LogPage::COUNTED + 1;
    let sql = &filter.finding().counted;
    let mut total = 0;
    for run in runs {
        total += if let Some(count) = run.count {
            count
        } else {
            let limit = i64::try_from(most - total).unwrap_or(i64::MAX);
            let rows = asked(session, sql, filter, (run.first, run.end), limit).await?;
            let count = rows.first().map_or(Ok(0), |row| get::<i64>(row, 0))?;
            u64::try_from(count).unwrap_or(0)
        };
        if total >= most {
            return Ok(most);
        }
    }
    Ok(total)
}
