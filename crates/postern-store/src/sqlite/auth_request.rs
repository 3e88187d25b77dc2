use postern_core::model::{
    AuthRequest, AuthRequestId, ClientId, CodeAlphabet, CodeShape, Email, Method, Sealed, State,
    Template, Timestamp, UsedBy, WrongCodes,
};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, Result, Row, params};

use super::tx::{self, Statements, Tx};

/// The columns are those that [`read`] takes.
const FIND: &str = "SELECT id, state, expires_at, generation, generation_at, sent_at, resends, wrong, kid, method, \
     template, code_length, alphabet, hardened, lifetime, client, address, state_kid, caller_state, \
     test FROM auth_requests WHERE id = ?1";

/// Finds one request.
pub(super) fn find(statements: &dyn Statements, id: AuthRequestId) -> Result<Option<AuthRequest>> {
    tx::find(statements, FIND, [id.as_bytes()], read)
}

/// Reads every request; whatever one of them holds is something that a release of ours wrote.
///
/// # Errors
/// One does not read.
pub(crate) fn read_all(conn: &Connection) -> Result<()> {
    let mut requests = conn.prepare(&FIND.replace(" WHERE id = ?1", ""))?;
    let mut requests = requests.query([])?;
    while let Some(row) = requests.next()? {
        read(row)?;
    }
    Ok(())
}

/// Writes a new request.
pub(super) fn insert(tx: &Tx<'_>, request: &AuthRequest) -> Result<()> {
    tx.write(
        "INSERT INTO auth_requests (id, state, expires_at, expiry_noted, generation, generation_at, sent_at, resends, \
         wrong, kid, method, template, code_length, alphabet, hardened, lifetime, client, address, state_kid, \
         caller_state, test) \
         VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
        params![
            request.id.as_bytes(),
            number_of(request.state),
            request.expires_at.micros(),
            request.generation,
            request.generation_at.micros(),
            request.sent_at.micros(),
            request.resends,
            digests(&request.wrong),
            request.kid,
            request.method.number(),
            request.template.map(Template::number),
            request.shape.length,
            request.shape.alphabet == CodeAlphabet::Alphanumeric,
            request.hardened,
            i64::try_from(request.lifetime.as_micros()).unwrap_or(i64::MAX),
            request.client.as_str(),
            request.address.as_given(),
            request.caller_state.as_ref().map(|sealed| sealed.kid),
            request.caller_state.as_ref().map(|sealed| &sealed.bytes),
            request.test.then_some(true),
        ],
    )?;
    Ok(())
}

/// Writes what can change of a request. Its times never move backwards; a request that lives on
/// can expire, and tell of it, again.
pub(super) fn update(tx: &Tx<'_>, before: &AuthRequest, after: &AuthRequest) -> Result<()> {
    let expires_at = after.expires_at.max(before.expires_at);
    tx.write(
        "UPDATE auth_requests SET state = ?2, expires_at = ?3, expiry_noted = expiry_noted AND ?4, generation = ?5, \
         generation_at = ?6, resends = ?7, wrong = ?8 WHERE id = ?1",
        params![
            before.id.as_bytes(),
            number_of(after.state),
            expires_at.micros(),
            expires_at == before.expires_at,
            after.generation.max(before.generation),
            after.generation_at.max(before.generation_at).micros(),
            after.resends,
            digests(&after.wrong),
        ],
    )?;
    Ok(())
}

fn read(row: &Row<'_>) -> Result<AuthRequest> {
    let moment = |column: usize| row.get(column).map(Timestamp::from_micros);
    Ok(AuthRequest {
        id: AuthRequestId::from_bytes(row.get(0)?),
        state: state_of(1, row.get(1)?)?,
        expires_at: moment(2)?,
        generation: row.get(3)?,
        generation_at: moment(4)?,
        sent_at: moment(5)?,
        resends: row.get(6)?,
        wrong: row
            .get_ref(7)?
            .as_blob_or_null()?
            .map(WrongCodes::from_bytes)
            .unwrap_or_default(),
        kid: row.get(8)?,
        method: known(9, row.get(9)?, Method::from_number)?,
        template: template(row, 10)?,
        shape: CodeShape {
            length: row.get(11)?,
            alphabet: if row.get(12)? {
                CodeAlphabet::Alphanumeric
            } else {
                CodeAlphabet::Numeric
            },
        },
        hardened: row.get(13)?,
        lifetime: Timestamp::from_micros(row.get(14)?).since(Timestamp::from_micros(0)),
        client: client(15, row.get_ref(15)?.as_str()?)?,
        address: address(16, row.get_ref(16)?.as_str()?)?,
        caller_state: sealed(row, 17)?,
        test: row.get::<_, Option<bool>>(19)?.unwrap_or_default(),
    })
}

/// Reads a sealed value from its two columns, kid first.
pub(super) fn sealed(row: &Row<'_>, column: usize) -> Result<Option<Sealed>> {
    let Some(kid) = row.get(column)? else {
        return Ok(None);
    };
    Ok(Some(Sealed {
        kid,
        bytes: row.get(column + 1)?,
    }))
}

/// Reads a client's id.
pub(super) fn client(column: usize, text: &str) -> Result<ClientId> {
    ClientId::parse(text).ok_or_else(|| unreadable(column, "no client id"))
}

/// Reads an address.
pub(super) fn address(column: usize, text: &str) -> Result<Email> {
    Email::parse(text).map_err(|_| unreadable(column, "no address"))
}

/// A value that no release of ours wrote.
pub(super) fn unreadable(column: usize, what: &'static str) -> Error {
    Error::FromSqlConversionFailure(column, Type::Null, what.into())
}

fn template(row: &Row<'_>, column: usize) -> Result<Option<Template>> {
    let number: Option<i32> = row.get(column)?;
    number
        .map(|number| known(column, number, Template::from_number))
        .transpose()
}

fn known<N, T>(column: usize, number: N, meaning: fn(N) -> Option<T>) -> Result<T> {
    meaning(number).ok_or_else(|| unreadable(column, "unknown number"))
}

fn digests(wrong: &WrongCodes) -> Option<Vec<u8>> {
    (wrong.count() > 0).then(|| wrong.to_bytes())
}

fn number_of(state: State) -> u8 {
    match state {
        State::Open => 0,
        State::Used(UsedBy::Code) => 1,
        State::Used(UsedBy::Link) => 2,
        State::Dead => 3,
    }
}

fn state_of(column: usize, number: u8) -> Result<State> {
    match number {
        0 => Ok(State::Open),
        1 => Ok(State::Used(UsedBy::Code)),
        2 => Ok(State::Used(UsedBy::Link)),
        3 => Ok(State::Dead),
        _ => Err(unreadable(column, "unknown state")),
    }
}
