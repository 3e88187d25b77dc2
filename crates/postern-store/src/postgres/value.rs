//! Between the model's values and the columns.

use std::error::Error;

use bytes::BytesMut;
use postern_core::model::{
    AddressKey, AuthRequestId, ClientId, DeliveryId, Email, Sealed, Timestamp,
};
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::failure::Failure;

/// 16 bytes in a `uuid` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Id(pub(super) [u8; 16]);

impl From<AuthRequestId> for Id {
    fn from(id: AuthRequestId) -> Self {
        Self(*id.as_bytes())
    }
}

impl From<AddressKey> for Id {
    fn from(key: AddressKey) -> Self {
        Self(key.0)
    }
}

impl ToSql for Id {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Id {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID
    }
}

/// One column of a row.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<T, Failure> {
    row.try_get(column)
        .map_err(|_| Failure::Unreadable("a column has another type"))
}

/// A number that fits the model's narrower type.
pub(super) fn number<'r, S, T>(row: &'r Row, column: usize) -> Result<T, Failure>
where
    S: FromSql<'r>,
    T: TryFrom<S>,
{
    T::try_from(get::<S>(row, column)?).map_err(|_| Failure::Unreadable("a number is out of range"))
}

/// A number that may be missing.
pub(super) fn optional<'r, S, T>(row: &'r Row, column: usize) -> Result<Option<T>, Failure>
where
    S: FromSql<'r>,
    T: TryFrom<S>,
{
    get::<Option<S>>(row, column)?
        .map(T::try_from)
        .transpose()
        .map_err(|_| Failure::Unreadable("a number is out of range"))
}

/// A moment.
pub(super) fn moment(row: &Row, column: usize) -> Result<Timestamp, Failure> {
    get(row, column).map(Timestamp::from_micros)
}

/// A request's id.
pub(super) fn request_id(row: &Row, column: usize) -> Result<AuthRequestId, Failure> {
    get::<Id>(row, column).map(|id| AuthRequestId::from_bytes(id.0))
}

/// A delivery's id, from two columns.
pub(super) fn delivery_id(row: &Row, column: usize) -> Result<DeliveryId, Failure> {
    Ok(DeliveryId {
        request: request_id(row, column)?,
        ordinal: number::<i32, _>(row, column + 1)?,
    })
}

/// An address's key.
pub(super) fn address_key(row: &Row, column: usize) -> Result<AddressKey, Failure> {
    get::<Id>(row, column).map(|id| AddressKey(id.0))
}

/// A client's id.
pub(super) fn client(text: &str) -> Result<ClientId, Failure> {
    ClientId::parse(text).ok_or(Failure::Unreadable("no client id"))
}

/// An address.
pub(super) fn address(text: &str) -> Result<Email, Failure> {
    Email::parse(text).map_err(|_| Failure::Unreadable("no address"))
}

/// A sealed value from its two columns, kid first.
pub(super) fn sealed(row: &Row, column: usize) -> Result<Option<Sealed>, Failure> {
    let Some(kid) = get::<Option<i16>>(row, column)? else {
        return Ok(None);
    };
    Ok(Some(Sealed {
        kid: u8::try_from(kid).map_err(|_| Failure::Unreadable("no kid"))?,
        bytes: get(row, column + 1)?,
    }))
}
