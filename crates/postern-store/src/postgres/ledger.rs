use std::collections::{BTreeMap, BTreeSet};

use postern_core::model::{AddressKey, ClientId, History, SecondBuckets, Suppression};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::failure::{Failure, together};
use super::session::{Param, Session, Sql};
use super::suppression;
use super::value::{Id, address_key, client, get};

/// What was counted, by key, each with the version of its row; a row that is not there has 0.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) sends: BTreeMap<AddressKey, (History, i64)>,
    pub(super) guesses: BTreeMap<AddressKey, (History, i64)>,
    pub(super) clients: BTreeMap<ClientId, (SecondBuckets, i64)>,
    pub(super) suppressed: BTreeMap<AddressKey, Suppression>,
}

/// Which counts a batch asks for. Ordered, so that everybody locks them in one order.
#[derive(Default)]
pub(super) struct Keys {
    /// Mails to these addresses, to be changed.
    pub(super) sends: BTreeSet<AddressKey>,
    /// Wrong codes of these addresses, to be changed.
    pub(super) guesses: BTreeSet<AddressKey>,
    /// Wrong codes of these addresses, only read.
    pub(super) seen_guesses: BTreeSet<AddressKey>,
    /// What the suppression list says of these addresses, only read.
    pub(super) listed: BTreeSet<AddressKey>,
    /// Mails of these clients, to be changed.
    pub(super) clients: BTreeSet<ClientId>,
}

static SENDS: Sql = Sql {
    text: "SELECT address, times, version FROM address_sends WHERE address = ANY($1) ORDER BY address FOR UPDATE",
    types: &[Type::UUID_ARRAY],
};

static GUESSES: Sql = Sql {
    text: "SELECT address, times, version FROM address_guesses WHERE address = ANY($1) ORDER BY address FOR UPDATE",
    types: &[Type::UUID_ARRAY],
};

static SEEN_GUESSES: Sql = Sql {
    text: "SELECT address, times, version FROM address_guesses WHERE address = ANY($1)",
    types: &[Type::UUID_ARRAY],
};

static CLIENTS: Sql = Sql {
    text: "SELECT client, buckets, version FROM client_sends WHERE client = ANY($1) ORDER BY client FOR UPDATE",
    types: &[Type::TEXT_ARRAY],
};

impl Keys {
    /// Reads the counts, holding those still that are to be changed.
    pub(super) async fn read(&self, session: &Session) -> Result<Counted, Failure> {
        let mailed: Vec<Id> = self.listed.iter().map(|key| Id::from(*key)).collect();
        let (sends, guesses, seen, clients, suppressed) = futures_util::future::join5(
            histories(session, &SENDS, &self.sends),
            histories(session, &GUESSES, &self.guesses),
            histories(session, &SEEN_GUESSES, &self.seen_guesses),
            self.clients(session),
            suppression::find_all(session, &mailed),
        )
        .await;
        // As they travelled: what follows one that failed tells only that the transaction is over.
        let (sends, mut guesses) = (sends?, guesses?);
        guesses.extend(seen?);
        Ok(Counted {
            sends,
            guesses,
            clients: clients?,
            suppressed: suppressed?,
        })
    }

    async fn clients(
        &self,
        session: &Session,
    ) -> Result<BTreeMap<ClientId, (SecondBuckets, i64)>, Failure> {
        if self.clients.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<&str> = self.clients.iter().map(ClientId::as_str).collect();
        let rows = session.query(&CLIENTS, &[&keys]).await?;
        rows.iter()
            .map(|row| {
                let buckets = SecondBuckets::from_bytes(get(row, 1)?);
                Ok((client(get(row, 0)?)?, (buckets, get(row, 2)?)))
            })
            .collect()
    }
}

async fn histories(
    session: &Session,
    sql: &Sql,
    keys: &BTreeSet<AddressKey>,
) -> Result<BTreeMap<AddressKey, (History, i64)>, Failure> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let keys: Vec<Id> = keys.iter().map(|key| Id::from(*key)).collect();
    let rows = session.query(sql, &[&keys]).await?;
    rows.iter()
        .map(|row| {
            let history = History::from_bytes(get(row, 1)?);
            Ok((address_key(row, 0)?, (history, get(row, 2)?)))
        })
        .collect()
}

/// New counts, each with the version that its row had.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) sends: BTreeMap<AddressKey, (History, i64)>,
    pub(super) guesses: BTreeMap<AddressKey, (History, i64)>,
    pub(super) clients: BTreeMap<ClientId, (SecondBuckets, i64)>,
}

/// How counts of addresses are written. Hardly any has a row before: what is written without looking for
/// one takes a quarter less time than `ON CONFLICT`, and writes a fifth less WAL.
struct Put {
    new: Sql,
    change: Sql,
}

macro_rules! put {
    ($table:literal) => {
        Put {
            new: Sql {
                text: concat!(
                    "INSERT INTO ",
                    $table,
                    " (address, times, version) SELECT * FROM unnest($1, $2, $3)"
                ),
                types: &[Type::UUID_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY],
            },
            change: Sql {
                text: concat!(
                    "UPDATE ",
                    $table,
                    " AS held SET times = new.times, version = new.version \
                     FROM unnest($1, $2, $3) AS new (address, times, version) \
                     WHERE held.address = new.address AND held.version = new.version - 1"
                ),
                types: &[Type::UUID_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY],
            },
        }
    };
}

static PUT_SENDS: Put = put!("address_sends");
static PUT_GUESSES: Put = put!("address_guesses");

static PUT_CLIENTS: Sql = Sql {
    text: "INSERT INTO client_sends AS held (client, buckets, version) SELECT * FROM unnest($1, $2, $3) \
           ON CONFLICT (client) DO UPDATE SET buckets = excluded.buckets, version = excluded.version \
           WHERE held.version = excluded.version - 1 RETURNING held.client",
    types: &[Type::TEXT_ARRAY, Type::BYTEA_ARRAY, Type::INT8_ARRAY],
};

impl Counts {
    pub(super) fn is_empty(&self) -> bool {
        self.sends.is_empty() && self.guesses.is_empty() && self.clients.is_empty()
    }

    /// Writes them in the order of their keys.
    ///
    /// # Errors
    /// [`Failure::Raced`] when one was changed by another since it was read.
    pub(super) async fn write(&self, session: &Session) -> Result<(), Failure> {
        let (sends, guesses, clients) = futures_util::future::join3(
            put(session, &PUT_SENDS, &self.sends),
            put(session, &PUT_GUESSES, &self.guesses),
            self.put_clients(session),
        )
        .await;
        together([sends, guesses, clients])
    }

    async fn put_clients(&self, session: &Session) -> Result<(), Failure> {
        if self.clients.is_empty() {
            return Ok(());
        }
        let keys: Vec<&str> = self.clients.keys().map(ClientId::as_str).collect();
        let (values, versions): (Vec<_>, Vec<_>) = self
            .clients
            .values()
            .map(|(buckets, version)| (buckets.to_bytes(), version + 1))
            .unzip();
        let params: [Param<'_>; 3] = [&keys, &values, &versions];
        let won = session.query(&PUT_CLIENTS, &params).await?;
        all_won(won.len(), keys.len())
    }
}

async fn put(
    session: &Session,
    put: &Put,
    counts: &BTreeMap<AddressKey, (History, i64)>,
) -> Result<(), Failure> {
    let (new, known): (Vec<_>, Vec<_>) = counts.iter().partition(|(_, count)| count.1 == 0);
    let (added, changed) = futures_util::future::join(
        write(session, &put.new, &new),
        write(session, &put.change, &known),
    )
    .await;
    together([added.map_err(raced), changed])
}

async fn write(
    session: &Session,
    sql: &Sql,
    counts: &[(&AddressKey, &(History, i64))],
) -> Result<(), Failure> {
    if counts.is_empty() {
        return Ok(());
    }
    let keys: Vec<Id> = counts.iter().map(|(key, _)| Id::from(**key)).collect();
    let (values, versions): (Vec<_>, Vec<_>) = counts
        .iter()
        .map(|(_, (times, version))| (times.to_bytes(), version + 1))
        .unzip();
    let params: [Param<'_>; 3] = [&keys, &values, &versions];
    let won = session.execute(sql, &params).await?;
    all_won(usize::try_from(won).unwrap_or(usize::MAX), keys.len())
}

/// What a failure to add rows means: that one is there after all was written by another meanwhile.
fn raced(failure: Failure) -> Failure {
    match failure {
        Failure::Said { code, .. } if code == SqlState::UNIQUE_VIOLATION.code() => Failure::Raced,
        other => other,
    }
}

/// Whether every guarded row was still what it was when it was read.
pub(super) fn all_won(won: usize, asked: usize) -> Result<(), Failure> {
    if won == asked {
        Ok(())
    } else {
        Err(Failure::Raced)
    }
}
