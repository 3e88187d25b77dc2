use postern_core::model::{AddressKey, ClientId, History, SecondBuckets};
use rusqlite::{Params, Result};

use super::tx::Tx;

const RECENT: [&str; 2] = [
    "SELECT times FROM recent_sends_0 WHERE id = ?1",
    "SELECT times FROM recent_sends_1 WHERE id = ?1",
];
const PUT_RECENT: [&str; 2] = [
    "INSERT INTO recent_sends_0 (id, address, at, times) VALUES (?1, ?2, ?3, ?4)",
    "INSERT INTO recent_sends_1 (id, address, at, times) VALUES (?1, ?2, ?3, ?4)",
];

/// Mails to the address.
pub(super) fn sends(tx: &Tx<'_>, address: AddressKey) -> Result<History> {
    match tx.sends().find(address) {
        Some(place) => history(tx, RECENT[place.log], [place.id]),
        None if !tx.sends().may_be_in_table(address) => Ok(History::default()),
        None => history(
            tx,
            "SELECT times FROM address_sends WHERE address = ?1",
            [address.0],
        ),
    }
}

/// Counted wrong codes of the address.
pub(super) fn guesses(tx: &Tx<'_>, address: AddressKey) -> Result<History> {
    history(
        tx,
        "SELECT times FROM address_guesses WHERE address = ?1",
        [address.0],
    )
}

/// Mails of the client.
pub(super) fn client_sends(tx: &Tx<'_>, client: &ClientId) -> Result<SecondBuckets> {
    tx.clients().of(tx.held(), client)
}

/// Replaces the mails to the address.
pub(super) fn put_sends(tx: &Tx<'_>, address: AddressKey, sends: &History) -> Result<()> {
    let place = tx.sends().next();
    tx.write(
        PUT_RECENT[place.log],
        (place.id, address.0, tx.now.micros(), sends.to_bytes()),
    )?;
    tx.sends().note(address);
    Ok(())
}

/// Replaces the counted wrong codes of the address.
pub(super) fn put_guesses(tx: &Tx<'_>, address: AddressKey, guesses: &History) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO address_guesses (address, times) VALUES (?1, ?2)",
        (address.0, guesses.to_bytes()),
    )?;
    Ok(())
}

fn history(tx: &Tx<'_>, sql: &'static str, key: impl Params) -> Result<History> {
    let found = tx.find(sql, key, |row| {
        Ok(History::from_bytes(row.get_ref(0)?.as_blob()?))
    })?;
    Ok(found.unwrap_or_default())
}
