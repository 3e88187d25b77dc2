//! Columns of any table, for copying a store.

use tokio_postgres::Row as Found;
use tokio_postgres::types::{ToSql, Type};

use super::failure::Failure;
use super::value::{Id, get};
use crate::rows::Value;

/// Parameters of a statement, each with its type.
pub(super) type Given = Vec<(Box<dyn ToSql + Sync + Send>, Type)>;

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

impl Kind {
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
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

    pub(super) fn read(self, row: &Found, at: usize) -> Result<Value, Failure> {
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

    pub(super) fn one(
        self,
        value: &Value,
    ) -> Result<(Box<dyn ToSql + Sync + Send>, Type), Failure> {
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

    pub(super) fn many(
        self,
        values: &[&Value],
    ) -> Result<(Box<dyn ToSql + Sync + Send>, Type), Failure> {
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
