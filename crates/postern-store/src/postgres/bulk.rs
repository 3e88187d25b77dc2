//! Whole tables at a time, for copying a store: any table, any columns, nothing prepared.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use postern_core::model::{NodeId, Timestamp};
use tokio_postgres::Row as Found;
use tokio_postgres::types::{ToSql, Type};

use super::PostgresStore;
use super::failure::Failure;
use super::session::Session;
use super::target::Target;
use super::value::{Id, get};
use crate::backup::Ended;
use crate::connect::{ConnectError, PostgresTuning, Tuning};
use crate::fence::{Fence, FenceKind};
use crate::rows::{Row, Value};

/// How long the fence waits for transactions that were begun before it.
const WAIT: &str = "SET LOCAL lock_timeout = '30s'";

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Small,
    Int,
    Big,
    Bool,
    Text,
    Bytes,
    Uuid,
}

/// A table, the columns that matter, and where its key is among them.
pub(crate) struct Look<'t> {
    pub(crate) table: &'t str,
    pub(crate) columns: &'t [String],
    pub(crate) kinds: Vec<Kind>,
    pub(crate) key: &'t [usize],
}

/// What is written to a table in one transaction.
pub(crate) struct Change<'c> {
    pub(crate) put: &'c [Row],
    /// Columns of this engine's own, with a value for each row that is put.
    pub(crate) own: &'c [(String, Vec<Value>)],
    /// Keys of rows that go.
    pub(crate) drop: &'c [Row],
    /// How far the copy has come.
    pub(crate) mark: &'c str,
}

/// A connection for copying, which heeds no fence.
pub(crate) struct Bulk {
    session: Session,
    url: String,
}

type Given = Vec<(Box<dyn ToSql + Sync + Send>, Type)>;

impl Bulk {
    /// Connects. Nothing is prepared and nothing set for a session, so a pooler in between is fine.
    pub(crate) async fn open(url: &str) -> Result<Self, ConnectError> {
        let target = Target::parse(url, tuning().postgres)?.heedless();
        Ok(Self {
            session: Session::open(&target).await?,
            url: url.to_owned(),
        })
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

    /// The id of the last event that has a place; zero without any.
    pub(crate) async fn last_placed(&self) -> Result<[u8; 16], Failure> {
        let sql = "SELECT id FROM events WHERE place IS NOT NULL ORDER BY id DESC LIMIT 1";
        let rows = self.query(sql, &Vec::new()).await?;
        rows.first()
            .map_or(Ok([0; 16]), |row| get::<Id>(row, 0).map(|id| id.0))
    }

    /// Sets the registry's revision and the log's cursor. Events after `event` are not in the log yet.
    pub(crate) async fn finish(
        &self,
        revision: i64,
        event: [u8; 16],
        place: i64,
        number: i64,
    ) -> Result<(), Failure> {
        let last = vec![Kind::Uuid.one(&Value::Bytes(event.to_vec()))?];
        self.transact(async {
            self.query("UPDATE events SET place = NULL WHERE id > $1", &last)
                .await?;
            for sql in [
                format!("UPDATE registry SET revision = {revision} WHERE id = 1"),
                format!("UPDATE log_cursor SET place = {place}, number = {number} WHERE id = 1"),
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

impl Look<'_> {
    fn select(&self) -> String {
        format!(
            "SELECT {} FROM \"{}\" WHERE true",
            quoted(self.columns).join(", "),
            self.table
        )
    }

    /// The key's columns, in the order of their bytes whatever the database's language.
    fn order(&self) -> Vec<String> {
        let column = |at: &usize| {
            let collate = if self.kinds[*at] == Kind::Text {
                " COLLATE \"C\""
            } else {
                ""
            };
            format!("\"{}\"{collate}", self.columns[*at])
        };
        self.key.iter().map(column).collect()
    }

    fn compare(&self, how: &str, before: usize) -> String {
        let marks: Vec<_> = (1..=self.key.len())
            .map(|n| format!("${}", before + n))
            .collect();
        format!("({}) {how} ({})", self.order().join(", "), marks.join(", "))
    }

    fn key_names(&self) -> Vec<String> {
        self.key
            .iter()
            .map(|at| format!("\"{}\"", self.columns[*at]))
            .collect()
    }

    fn delete(&self) -> String {
        let marks: Vec<_> = (1..=self.key.len()).map(|n| format!("${n}")).collect();
        format!(
            "DELETE FROM \"{}\" WHERE ({}) IN (SELECT * FROM UNNEST({}))",
            self.table,
            self.key_names().join(", "),
            marks.join(", ")
        )
    }

    fn keys(&self, keys: &[Row]) -> Result<Given, Failure> {
        let column = |(n, at): (usize, &usize)| {
            let values: Vec<_> = keys.iter().map(|key| &key[n]).collect();
            self.kinds[*at].many(&values)
        };
        self.key.iter().enumerate().map(column).collect()
    }

    fn insert(&self, change: &Change<'_>) -> Result<(String, Given), Failure> {
        let mut given = Given::new();
        for (at, kind) in self.kinds.iter().enumerate() {
            let values: Vec<_> = change.put.iter().map(|row| &row[at]).collect();
            given.push(kind.many(&values)?);
        }
        for (_, values) in change.own {
            given.push(Kind::Big.many(&values.iter().collect::<Vec<_>>())?);
        }
        let own = change.own.iter().map(|(name, _)| format!("\"{name}\""));
        let columns: Vec<_> = quoted(self.columns).into_iter().chain(own).collect();
        let marks: Vec<_> = (1..=columns.len()).map(|n| format!("${n}")).collect();
        let keys = self.key_names();
        let replaced: Vec<_> = quoted(self.columns)
            .into_iter()
            .filter(|column| !keys.contains(column))
            .map(|column| format!("{column} = EXCLUDED.{column}"))
            .collect();
        let clash = match replaced.is_empty() {
            true => "DO NOTHING".to_owned(),
            false => format!("DO UPDATE SET {}", replaced.join(", ")),
        };
        let sql = format!(
            "INSERT INTO \"{}\" ({}) SELECT * FROM UNNEST({}) ON CONFLICT ({}) {clash}",
            self.table,
            columns.join(", "),
            marks.join(", "),
            keys.join(", ")
        );
        Ok((sql, given))
    }

    fn read(&self, row: &Found) -> Result<Row, Failure> {
        let read = |(at, kind): (usize, &Kind)| kind.read(row, at);
        self.kinds.iter().enumerate().map(read).collect()
    }
}

fn quoted(columns: &[String]) -> Vec<String> {
    columns.iter().map(|name| format!("\"{name}\"")).collect()
}

impl Kind {
    fn named(name: &str) -> Result<Self, Failure> {
        Ok(match name {
            "smallint" => Self::Small,
            "integer" => Self::Int,
            "bigint" => Self::Big,
            "boolean" => Self::Bool,
            "text" => Self::Text,
            "bytea" => Self::Bytes,
            "uuid" => Self::Uuid,
            other => return Err(Failure::Ours(format!("a column of type {other}"))),
        })
    }

    fn read(self, row: &Found, at: usize) -> Result<Value, Failure> {
        let found = match self {
            Self::Small => get::<Option<i16>>(row, at)?.map(|number| Value::Int(number.into())),
            Self::Int => get::<Option<i32>>(row, at)?.map(|number| Value::Int(number.into())),
            Self::Big => get::<Option<i64>>(row, at)?.map(Value::Int),
            Self::Bool => get::<Option<bool>>(row, at)?.map(|yes| Value::Int(yes.into())),
            Self::Text => get::<Option<String>>(row, at)?.map(Value::Text),
            Self::Bytes => get::<Option<Vec<u8>>>(row, at)?.map(Value::Bytes),
            Self::Uuid => get::<Option<Id>>(row, at)?.map(|id| Value::Bytes(id.0.to_vec())),
        };
        Ok(found.unwrap_or(Value::Null))
    }

    fn one(self, value: &Value) -> Result<(Box<dyn ToSql + Sync + Send>, Type), Failure> {
        Ok(match self {
            Self::Small => (Box::new(small(value)?), Type::INT2),
            Self::Int => (Box::new(int(value)?), Type::INT4),
            Self::Big => (Box::new(big(value)?), Type::INT8),
            Self::Bool => (Box::new(truth(value)?), Type::BOOL),
            Self::Text => (Box::new(text(value)?), Type::TEXT),
            Self::Bytes => (Box::new(bytes(value)?), Type::BYTEA),
            Self::Uuid => (Box::new(uuid(value)?), Type::UUID),
        })
    }

    fn many(self, values: &[&Value]) -> Result<(Box<dyn ToSql + Sync + Send>, Type), Failure> {
        Ok(match self {
            Self::Small => (all(values, small)?, Type::INT2_ARRAY),
            Self::Int => (all(values, int)?, Type::INT4_ARRAY),
            Self::Big => (all(values, big)?, Type::INT8_ARRAY),
            Self::Bool => (all(values, truth)?, Type::BOOL_ARRAY),
            Self::Text => (all(values, text)?, Type::TEXT_ARRAY),
            Self::Bytes => (all(values, bytes)?, Type::BYTEA_ARRAY),
            Self::Uuid => (all(values, uuid)?, Type::UUID_ARRAY),
        })
    }
}

fn all<T: ToSql + Sync + Send + 'static>(
    values: &[&Value],
    one: fn(&Value) -> Result<Option<T>, Failure>,
) -> Result<Box<dyn ToSql + Sync + Send>, Failure> {
    let read: Vec<Option<T>> = values
        .iter()
        .map(|value| one(value))
        .collect::<Result<_, _>>()?;
    Ok(Box::new(read))
}

const MISFIT: Failure = Failure::Unreadable("a value does not fit its column");

fn big(value: &Value) -> Result<Option<i64>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Int(number) => Ok(Some(*number)),
        Value::Text(_) | Value::Bytes(_) => Err(MISFIT),
    }
}

fn int(value: &Value) -> Result<Option<i32>, Failure> {
    big(value)?
        .map(i32::try_from)
        .transpose()
        .map_err(|_| MISFIT)
}

fn small(value: &Value) -> Result<Option<i16>, Failure> {
    big(value)?
        .map(i16::try_from)
        .transpose()
        .map_err(|_| MISFIT)
}

fn truth(value: &Value) -> Result<Option<bool>, Failure> {
    Ok(big(value)?.map(|number| number != 0))
}

fn text(value: &Value) -> Result<Option<String>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Text(text) => Ok(Some(text.clone())),
        Value::Int(_) | Value::Bytes(_) => Err(MISFIT),
    }
}

fn bytes(value: &Value) -> Result<Option<Vec<u8>>, Failure> {
    match value {
        Value::Null => Ok(None),
        Value::Bytes(bytes) => Ok(Some(bytes.clone())),
        Value::Int(_) | Value::Text(_) => Err(MISFIT),
    }
}

fn uuid(value: &Value) -> Result<Option<Id>, Failure> {
    let id = |bytes: Vec<u8>| bytes.try_into().map(Id).map_err(|_| MISFIT);
    bytes(value)?.map(id).transpose()
}
