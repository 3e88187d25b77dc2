use std::cell::RefCell;
use std::collections::HashMap;

use postern_core::model::{ClientId, SecondBuckets};
use rusqlite::Result;

use super::tx::{self, Statements};

/// How many mails the clients sent, as an open transaction has it.
///
/// Most acts of a group are of the same few clients, and a row holds a whole minute. So it is read once
/// and written once in a transaction, however many of its acts count.
#[derive(Default)]
pub(super) struct ClientCounts(RefCell<State>);

#[derive(Default)]
struct State {
    counts: HashMap<ClientId, Count>,
    /// What the act at hand replaced, oldest first.
    replaced: Vec<(ClientId, Count)>,
}

#[derive(Clone, Default)]
enum Count {
    /// Not read yet.
    #[default]
    Unknown,
    /// As its row says.
    Read(SecondBuckets),
    /// What its row has to say.
    Changed(SecondBuckets),
}

impl ClientCounts {
    /// Mails of a client.
    pub(super) fn of(&self, held: &dyn Statements, client: &ClientId) -> Result<SecondBuckets> {
        let mut state = self.0.borrow_mut();
        if let Some(Count::Read(sends) | Count::Changed(sends)) = state.counts.get(client) {
            return Ok(sends.clone());
        }
        let found = tx::find(
            held,
            "SELECT buckets FROM client_sends WHERE client = ?1",
            [client.as_str()],
            |row| Ok(SecondBuckets::from_bytes(row.get_ref(0)?.as_blob()?)),
        )?;
        let sends = found.unwrap_or_default();
        let count = Count::Read(sends.clone());
        state.counts.insert(client.clone(), count);
        Ok(sends)
    }

    /// Replaces the mails of a client.
    pub(super) fn put(&self, client: &ClientId, sends: SecondBuckets) {
        self.replace(client, Count::Changed(sends));
    }

    /// The row of a client was removed.
    pub(super) fn forget(&self, client: &ClientId) {
        self.replace(client, Count::Unknown);
    }

    /// An act begins.
    pub(super) fn begin(&self) {
        self.0.borrow_mut().replaced.clear();
    }

    /// Undoes what the act at hand did.
    pub(super) fn undo(&self) {
        let State { counts, replaced } = &mut *self.0.borrow_mut();
        counts.extend(replaced.drain(..).rev());
    }

    /// Writes what changed.
    pub(super) fn write(&self, held: &dyn Statements) -> Result<()> {
        for (client, count) in &self.0.borrow().counts {
            if let Count::Changed(sends) = count {
                tx::execute(
                    held,
                    "INSERT OR REPLACE INTO client_sends (client, buckets) VALUES (?1, ?2)",
                    (client.as_str(), sends.to_bytes()),
                )?;
            }
        }
        Ok(())
    }

    fn replace(&self, client: &ClientId, count: Count) {
        let State { counts, replaced } = &mut *self.0.borrow_mut();
        let before = counts.insert(client.clone(), count).unwrap_or_default();
        replaced.push((client.clone(), before));
    }
}
