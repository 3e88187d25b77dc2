use std::collections::HashMap;

use postern_core::model::{
    AuthRequest, AuthRequestId, CodeAlphabet, CodeShape, Method, Sealed, State, Template,
    Timestamp, UsedBy, WrongCodes,
};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::Failure;
use super::ledger::all_won;
use super::session::{Param, Session, Sql};
use super::value::{Id, address, client, get, moment, number, request_id, sealed};

/// A request with the version of its row.
pub(super) type Versioned = (AuthRequest, i64);

/// The columns are those that [`read`] takes.
static FIND: Sql = Sql {
    text: "SELECT id, state, expires_at, generation, generation_at, sent_at, resends, wrong, kid, method, template, \
           code_length, alphabet, hardened, lifetime, client, address, state_kid, caller_state, version, test \
           FROM auth_requests WHERE id = ANY($1)",
    types: &[Type::UUID_ARRAY],
};

/// Finds requests; one whose row does not read fails by itself.
pub(super) async fn find_all(
    session: &Session,
    ids: &[Id],
) -> Result<HashMap<AuthRequestId, Result<Versioned, Failure>>, Failure> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.query(&FIND, &[&ids]).await?;
    rows.iter()
        .map(|row| Ok((request_id(row, 0)?, read(row, 0))))
        .collect()
}

/// Finds one request.
pub(super) async fn find(
    session: &Session,
    id: AuthRequestId,
) -> Result<Option<AuthRequest>, Failure> {
    let found = find_all(session, &[id.into()]).await?.remove(&id);
    Ok(found.transpose()?.map(|(request, _)| request))
}

/// Reads the columns that [`find_all`] asks for, from this one on.
pub(super) fn read(row: &Row, from: usize) -> Result<Versioned, Failure> {
    let request = AuthRequest {
        id: request_id(row, from)?,
        state: state_of(get(row, from + 1)?)?,
        expires_at: moment(row, from + 2)?,
        generation: number::<i32, _>(row, from + 3)?,
        generation_at: moment(row, from + 4)?,
        sent_at: moment(row, from + 5)?,
        resends: number::<i16, _>(row, from + 6)?,
        wrong: get::<Option<&[u8]>>(row, from + 7)?
            .map(WrongCodes::from_bytes)
            .unwrap_or_default(),
        kid: number::<i16, _>(row, from + 8)?,
        method: known(Method::from_number(number::<i16, _>(row, from + 9)?))?,
        template: get::<Option<i16>>(row, from + 10)?
            .map(|number| known(Template::from_number(number.into())))
            .transpose()?,
        shape: CodeShape {
            length: number::<i16, _>(row, from + 11)?,
            alphabet: if get::<i16>(row, from + 12)? == 1 {
                CodeAlphabet::Alphanumeric
            } else {
                CodeAlphabet::Numeric
            },
        },
        hardened: get(row, from + 13)?,
        test: get::<Option<bool>>(row, from + 20)?.unwrap_or(false),
        lifetime: moment(row, from + 14)?.since(Timestamp::from_micros(0)),
        client: client(get(row, from + 15)?)?,
        address: address(get(row, from + 16)?)?,
        caller_state: sealed(row, from + 17)?,
    };
    Ok((request, get(row, from + 19)?))
}

static INSERT: Sql = Sql {
    text: "INSERT INTO auth_requests (id, version, state, expires_at, expiry_noted, generation, generation_at, \
           sent_at, resends, wrong, kid, method, template, code_length, alphabet, hardened, lifetime, client, \
           address, state_kid, caller_state, test) \
           SELECT id, 1, state, expires_at, FALSE, generation, generation_at, sent_at, resends, wrong, kid, \
           method, template, code_length, alphabet, hardened, lifetime, client, address, state_kid, caller_state, test \
           FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) \
           AS new (id, state, expires_at, generation, generation_at, sent_at, resends, wrong, kid, method, \
           template, code_length, alphabet, hardened, lifetime, client, address, state_kid, caller_state, test)",
    types: &[
        Type::UUID_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::INT4_ARRAY,
        Type::INT8_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::BYTEA_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::INT2_ARRAY,
        Type::BOOL_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT2_ARRAY,
        Type::BYTEA_ARRAY,
        Type::BOOL_ARRAY,
    ],
};

/// Requests to insert, column by column.
#[derive(Default)]
pub(super) struct Opened(Vec<AuthRequest>);

impl Opened {
    pub(super) fn push(&mut self, request: AuthRequest) {
        self.0.push(request);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them.
    pub(super) async fn insert(&self, session: &Session) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let params: [Param<'_>; 20] = [
            &self.each(|request| Id::from(request.id)),
            &self.each(|request| number_of(request.state)),
            &self.each(|request| request.expires_at.micros()),
            &self.each(|request| i32::from(request.generation)),
            &self.each(|request| request.generation_at.micros()),
            &self.each(|request| request.sent_at.micros()),
            &self.each(|request| i16::from(request.resends)),
            &self.each(|request| digests(&request.wrong)),
            &self.each(|request| i16::from(request.kid)),
            &self.each(|request| i16::from(request.method.number())),
            &self.each(|request| request.template.map(|one| i16::from(one.number()))),
            &self.each(|request| i16::from(request.shape.length)),
            &self.each(|request| i16::from(request.shape.alphabet == CodeAlphabet::Alphanumeric)),
            &self.each(|request| request.hardened),
            &self.each(|request| i64::try_from(request.lifetime.as_micros()).unwrap_or(i64::MAX)),
            &self.each(|request| request.client.as_str()),
            &self.each(|request| request.address.as_given()),
            &self.each(|request| request.caller_state.as_ref().map(kid_of)),
            &self.each(|request| request.caller_state.as_ref().map(|sealed| &*sealed.bytes)),
            &self.each(|request| request.test.then_some(true)),
        ];
        session.execute(&INSERT, &params).await.map(drop)
    }

    fn each<'a, T>(&'a self, column: impl Fn(&'a AuthRequest) -> T) -> Vec<T> {
        self.0.iter().map(column).collect()
    }
}

static UPDATE: Sql = Sql {
    text: "UPDATE auth_requests AS held SET version = held.version + 1, state = new.state, \
           expires_at = new.expires_at, expiry_noted = held.expiry_noted AND new.same_expiry, \
           generation = new.generation, generation_at = new.generation_at, resends = new.resends, wrong = new.wrong \
           FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) AS new (id, version, state, expires_at, same_expiry, \
           generation, generation_at, resends, wrong) \
           WHERE held.id = new.id AND held.version = new.version RETURNING held.id",
    types: &[
        Type::UUID_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::INT8_ARRAY,
        Type::BOOL_ARRAY,
        Type::INT4_ARRAY,
        Type::INT8_ARRAY,
        Type::INT2_ARRAY,
        Type::BYTEA_ARRAY,
    ],
};

/// Requests to change, column by column, each guarded by its version.
#[derive(Default)]
pub(super) struct Changed(Vec<(AuthRequest, i64, bool)>);

impl Changed {
    /// Adds what can change of a request. Its times never move backwards; a request that lives on can
    /// expire, and tell of it, again.
    pub(super) fn push(&mut self, (before, version): &Versioned, after: &AuthRequest) {
        let after = AuthRequest {
            expires_at: after.expires_at.max(before.expires_at),
            generation: after.generation.max(before.generation),
            generation_at: after.generation_at.max(before.generation_at),
            state: after.state,
            resends: after.resends,
            wrong: after.wrong.clone(),
            ..before.clone()
        };
        let same_expiry = after.expires_at == before.expires_at;
        self.0.push((after, *version, same_expiry));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes them in the order of their ids.
    ///
    /// # Errors
    /// [`Failure::Raced`] when one was changed by another since it was read.
    pub(super) async fn update(&mut self, session: &Session) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        self.0.sort_unstable_by_key(|(request, ..)| request.id);
        let params: [Param<'_>; 9] = [
            &self.each(|(request, ..)| Id::from(request.id)),
            &self.each(|(_, version, _)| *version),
            &self.each(|(request, ..)| number_of(request.state)),
            &self.each(|(request, ..)| request.expires_at.micros()),
            &self.each(|(.., same)| *same),
            &self.each(|(request, ..)| i32::from(request.generation)),
            &self.each(|(request, ..)| request.generation_at.micros()),
            &self.each(|(request, ..)| i16::from(request.resends)),
            &self.each(|(request, ..)| digests(&request.wrong)),
        ];
        let won = session.query(&UPDATE, &params).await?;
        all_won(won.len(), self.0.len())
    }

    fn each<'a, T>(&'a self, column: impl Fn(&'a (AuthRequest, i64, bool)) -> T) -> Vec<T> {
        self.0.iter().map(column).collect()
    }
}

fn kid_of(sealed: &Sealed) -> i16 {
    sealed.kid.into()
}

fn known<T>(meaning: Option<T>) -> Result<T, Failure> {
    meaning.ok_or(Failure::Unreadable("unknown number"))
}

fn digests(wrong: &WrongCodes) -> Option<Vec<u8>> {
    (wrong.count() > 0).then(|| wrong.to_bytes())
}

fn number_of(state: State) -> i16 {
    match state {
        State::Open => 0,
        State::Used(UsedBy::Code) => 1,
        State::Used(UsedBy::Link) => 2,
        State::Dead => 3,
    }
}

/// The state with this number.
pub(super) fn state_of(number: i16) -> Result<State, Failure> {
    match number {
        0 => Ok(State::Open),
        1 => Ok(State::Used(UsedBy::Code)),
        2 => Ok(State::Used(UsedBy::Link)),
        3 => Ok(State::Dead),
        _ => Err(Failure::Unreadable("unknown state")),
    }
}
