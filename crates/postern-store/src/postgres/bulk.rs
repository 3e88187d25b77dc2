//! Whole tables at a time, for copying a store: any table, any columns, nothing prepared.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use postern_core::model::{NodeId, Timestamp};
use tokio_postgres::Row as Found;
use tokio_postgres::types::{ToSql, Type};

use super::column::{Given, Kind};
use super::failure::Failure;
use super::look::{Change, Look};
use super::session::{Session, Sql};
use super::target::Target;
use super::value::{Id, get};
use super::{PostgresStore, auth_request, registry};
use crate::backup::Ended;
use crate::connect::{ConnectError, PostgresTuning, Tuning};
use crate::fence::{Fence, FenceKind};
use crate::rows::{Row, Value};

/// How long the fence waits for transactions that were begun before it.
const WAIT: &str = "SET LOCAL lock_timeout = '30s'";

/// A connection for copying, which heeds no fence.
pub(crate) struct Bulk {
    session: Session,
    url: String,
}

impl Bulk {
    /// Connects. Nothing is prepared and nothing set for a session, so a pooler in between is fine.
    pub(crate) async fn open(url: &str) -> Result<Self, ConnectError> {
        let target = Target::parse(url, tuning().postgres)?.heedless();
        Ok(Self {
            session: Session::open(&target).await?,
            url: url.to_owned(),
        })
    }

    /// Reads the registry and every request, as a node would.
    ///
    /// # Errors
    /// A row does not read: no release of ours wrote it.
    pub(crate) async fn read_through(&self) -> Result<(), Failure> {
        static IDS: Sql = Sql {
            text: "SELECT id FROM auth_requests WHERE id > $1 ORDER BY id LIMIT 2000",
            types: &[Type::UUID],
        };
        registry::snapshot(&self.session).await?;
        let mut after = Id([0; 16]);
        loop {
            let rows = self.session.query(&IDS, &[&after]).await?;
            let ids: Vec<Id> = rows
                .iter()
                .map(|row| get(row, 0))
                .collect::<Result<_, _>>()?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = *last;
            let found = auth_request::find_all(&self.session, &ids).await?;
            found
                .into_values()
                .try_for_each(|request| request.map(drop))?;
        }
    }

    /// The columns of every table, in their order.
    pub(crate) async fn kinds(&self) -> Result<HashMap<String, Vec<(String, Kind)>>, Failure> {
        let sql = "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns \
                   WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position";
        let mut tables: HashMap<String, Vec<(String, Kind)>> = HashMap::new();
        for row in self.query(sql, &Vec::new()).await? {
            let kind = Kind::named(get::<&str>(&row, 2)?)?;
            let columns = tables.entry(get(&row, 0)?).or_default();
            columns.push((get(&row, 1)?, kind));
        }
        Ok(tables)
    }

    /// The columns of every table's primary key, in the key's order.
    pub(crate) async fn keys(&self) -> Result<HashMap<String, Vec<String>>, Failure> {
        let sql = "SELECT k.table_name::text, k.column_name::text FROM information_schema.table_constraints t \
                   JOIN information_schema.key_column_usage k ON k.constraint_schema = t.constraint_schema \
                   AND k.constraint_name = t.constraint_name AND k.table_name = t.table_name \
                   WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = current_schema() \
                   ORDER BY k.table_name, k.ordinal_position";
        let mut keys: HashMap<String, Vec<String>> = HashMap::new();
        for row in self.query(sql, &Vec::new()).await? {
            keys.entry(get(&row, 0)?).or_default().push(get(&row, 1)?);
        }
        Ok(keys)
    }

    /// The one number that a query answers.
    pub(crate) async fn number(&self, sql: &str) -> Result<i64, Failure> {
        let rows = self.query(sql, &Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| get(row, 0))
    }

    /// Rows after one key and up to another, in the order of the key.
    pub(crate) async fn rows(
        &self,
        look: &Look<'_>,
        after: Option<&[Value]>,
        until: Option<&[Value]>,
        limit: Option<usize>,
    ) -> Result<Vec<Row>, Failure> {
        let (mut sql, mut given) = (look.select(), Given::new());
        for (bound, compare) in [(after, ">"), (until, "<=")] {
            if let Some(bound) = bound {
                let _ = write!(sql, " AND {}", look.compare(compare, given.len()));
                for (value, at) in bound.iter().zip(look.key) {
                    given.push(look.kinds[*at].one(value)?);
                }
            }
        }
        let _ = write!(sql, " ORDER BY {}", look.order().join(", "));
        if let Some(limit) = limit {
            let _ = write!(sql, " LIMIT {limit}");
        }
        let rows = self.query(&sql, &given).await?;
        rows.iter().map(|row| look.read(row)).collect()
    }

    /// Writes a change and its mark in one transaction.
    pub(crate) async fn write(&self, look: &Look<'_>, change: &Change<'_>) -> Result<(), Failure> {
        let mark = vec![Kind::Text.one(&Value::Text(change.mark.to_owned()))?];
        self.transact(async {
            if !change.drop.is_empty() {
                self.query(&look.delete(), &look.keys(change.drop)?).await?;
            }
            if !change.put.is_empty() {
                let (sql, given) = look.insert(change)?;
                self.query(&sql, &given).await?;
            }
            self.query("UPDATE fence SET mark = $1", &mark)
                .await
                .map(drop)
        })
        .await
    }

    /// The id of the last event before all that wait for the log; zero without any.
    pub(crate) async fn last_in_log(&self) -> Result<[u8; 16], Failure> {
        let sql = "SELECT id FROM events WHERE place IS NOT NULL \
                   AND id < COALESCE((SELECT first FROM log_waiting ORDER BY first LIMIT 1), $1) \
                   ORDER BY id DESC LIMIT 1";
        let end = vec![Kind::Uuid.one(&Value::Bytes(vec![0xff; 16]))?];
        let rows = self.query(sql, &end).await?;
        rows.first()
            .map_or(Ok([0; 16]), |row| get::<Id>(row, 0).map(|id| id.0))
    }

    /// Sets the registry's revision and the log's cursor. Events after `event` are not in the log yet.
    pub(crate) async fn finish(
        &self,
        revision: i64,
        event: [u8; 16],
        number: i64,
    ) -> Result<(), Failure> {
        let last = vec![Kind::Uuid.one(&Value::Bytes(event.to_vec()))?];
        self.transact(async {
            self.session.run("DELETE FROM log_waiting").await?;
            // Without a place they are brought to those that wait.
            self.query("UPDATE events SET place = NULL WHERE id > $1", &last)
                .await?;
            for sql in [
                format!("UPDATE registry SET revision = {revision} WHERE id = 1"),
                format!("UPDATE log_cursor SET number = {number} WHERE id = 2"),
            ] {
                self.query(&sql, &Vec::new()).await?;
            }
            Ok(())
        })
        .await
    }

    /// The fence that stands, with the mark of what fills the store.
    pub(crate) async fn fence(&self) -> Result<Option<(Fence, Option<String>)>, Failure> {
        fence(&self.session).await
    }

    /// Puts the fence up. Every transaction that writes has read the table, so holding it alone means
    /// that none is under way, and those that come see the fence.
    pub(crate) async fn put_fence(&self, fence: Option<&Fence>) -> Result<(), Failure> {
        self.transact(async {
            self.session.run(WAIT).await?;
            self.session
                .run("LOCK TABLE fence IN ACCESS EXCLUSIVE MODE")
                .await?;
            self.session.run("DELETE FROM fence").await?;
            let Some(fence) = fence else { return Ok(()) };
            let given = vec![
                Kind::Big.one(&Value::Int(fence.at.micros()))?,
                Kind::Small.one(&Value::Int(fence.kind.number()))?,
                Kind::Text.one(&Value::Text(fence.other.clone()))?,
            ];
            let sql = "INSERT INTO fence (id, at, kind, other) VALUES (1, $1, $2, $3)";
            self.query(sql, &given).await.map(drop)
        })
        .await
    }

    /// Lets the log take in every event that is there.
    pub(crate) async fn settle_log(&self) -> Result<(), ConnectError> {
        use postern_core::ports::{Engine as _, Log as _};

        let target = Target::parse(&self.url, tuning().postgres)?.heedless();
        let clock = Arc::new(Still);
        let store = PostgresStore::on(target, NodeId([0; 8]), clock, &tuning()).await?;
        let failed = |error: postern_core::ports::StoreError| ConnectError::Engine(error.into());
        while store.project().await.map_err(failed)? {}
        store.close().await;
        Ok(())
    }

    /// Ends what may have been spent since the state that the database was put back to; see
    /// [`crate::backup`].
    pub(crate) async fn end_open(&self, now: Timestamp) -> Result<Ended, Failure> {
        let given = vec![
            Kind::Big.one(&Value::Int(now.micros()))?,
            Kind::Small.one(&Value::Int(postern_core::rules::MAX_RESENDS.into()))?,
        ];
        let mut ended = Ended::default();
        self.transact(async {
            let requests = "WITH gone AS (UPDATE auth_requests SET expires_at = LEAST(expires_at, $1), resends = $2, \
                            version = version + 1 WHERE state = 0 RETURNING 1) SELECT COUNT(*) FROM gone";
            let rows = self.query(requests, &given).await?;
            let counted = |rows: &[Found]| rows.first().map_or(Ok(0), |row| get::<i64>(row, 0));
            ended.auth_requests = counted(&rows)?.unsigned_abs();
            for (table, count) in [
                ("admin_sessions", &mut ended.admin_sessions),
                ("admin_invites", &mut ended.admin_invites),
            ] {
                let drop = format!(
                    "WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT COUNT(*) FROM gone"
                );
                *count = self.number(&drop).await?.unsigned_abs();
            }
            Ok(())
        })
        .await?;
        Ok(ended)
    }

    async fn transact(
        &self,
        work: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        self.session.begin().await?;
        match work.await {
            Ok(()) => self.session.commit().await,
            Err(failure) => {
                let _ = self.session.rollback().await;
                Err(failure)
            }
        }
    }

    async fn query(&self, sql: &str, given: &Given) -> Result<Vec<Found>, Failure> {
        let given: Vec<(&(dyn ToSql + Sync), Type)> = given
            .iter()
            .map(|(value, kind)| (&**value as &(dyn ToSql + Sync), kind.clone()))
            .collect();
        self.session.ask(sql, &given).await
    }
}

/// The fence that stands, with the mark of what fills the store.
pub(super) async fn fence(session: &Session) -> Result<Option<(Fence, Option<String>)>, Failure> {
    let sql = "SELECT at, kind, other, mark FROM fence";
    let rows = session.ask(sql, &[]).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let fence = Fence {
        at: Timestamp::from_micros(get(row, 0)?),
        kind: FenceKind::from_number(get::<i16>(row, 1)?.into()),
        other: get(row, 2)?,
    };
    Ok(Some((fence, get(row, 3)?)))
}

/// Projecting reads no clock; what asks one is not used here.
struct Still;

impl postern_core::ports::Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(0)
    }
}

fn tuning() -> Tuning {
    Tuning {
        postgres: PostgresTuning {
            writers: 1,
            connections: 1,
            statement_timeout: std::time::Duration::from_mins(1),
            prepared: false,
            ..PostgresTuning::default()
        },
        ..Tuning::default()
    }
}
