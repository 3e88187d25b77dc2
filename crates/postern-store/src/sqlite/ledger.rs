use postern_core::model::{AddressKey, ClientId, History, SecondBuckets};
use rusqlite::Result;

use super::tx::Tx;

/// Mails to the address.
pub(super) fn sends(tx: &Tx<'_>, address: AddressKey) -> Result<History> {
    history(
        tx,
        "SELECT times FROM address_sends WHERE address = ?1",
        address,
    )
}

/// Counted wrong codes of the address.
pub(super) fn guesses(tx: &Tx<'_>, address: AddressKey) -> Result<History> {
    history(
        tx,
        "SELECT times FROM address_guesses WHERE address = ?1",
        address,
    )
}

/// Mails of the client.
pub(super) fn client_sends(tx: &Tx<'_>, client: &ClientId) -> Result<SecondBuckets> {
    let found = tx.find(
        "SELECT buckets FROM client_sends WHERE client = ?1",
        [client.as_str()],
        |row| Ok(SecondBuckets::from_bytes(row.get_ref(0)?.as_blob()?)),
    )?;
    Ok(found.unwrap_or_default())
}

/// Replaces the mails to the address.
pub(super) fn put_sends(tx: &Tx<'_>, address: AddressKey, sends: &History) -> Result<()> {
    put(
        tx,
        "INSERT OR REPLACE INTO address_sends (address, times) VALUES (?1, ?2)",
        address,
        sends,
    )
}

/// Replaces the counted wrong codes of the address.
pub(super) fn put_guesses(tx: &Tx<'_>, address: AddressKey, guesses: &History) -> Result<()> {
    put(
        tx,
        "INSERT OR REPLACE INTO address_guesses (address, times) VALUES (?1, ?2)",
        address,
        guesses,
    )
}

/// Replaces the mails of the client.
pub(super) fn put_client_sends(
    tx: &Tx<'_>,
    client: &ClientId,
    sends: &SecondBuckets,
) -> Result<()> {
    tx.write(
        "INSERT OR REPLACE INTO client_sends (client, buckets) VALUES (?1, ?2)",
        (client.as_str(), sends.to_bytes()),
    )?;
    Ok(())
}

fn history(tx: &Tx<'_>, sql: &str, address: AddressKey) -> Result<History> {
    let found = tx.find(sql, [address.0], |row| {
        Ok(History::from_bytes(row.get_ref(0)?.as_blob()?))
    })?;
    Ok(found.unwrap_or_default())
}

fn put(tx: &Tx<'_>, sql: &str, address: AddressKey, times: &History) -> Result<()> {
    tx.write(sql, (address.0, times.to_bytes()))?;
    Ok(())
}
