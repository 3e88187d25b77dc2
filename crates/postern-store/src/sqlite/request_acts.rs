use postern_core::model::{AddressKey, AuthRequest, AuthRequestId, ClientId, History};
use postern_core::ports::{Change, Decide, Decision, Found, Ledger, Opening};
use rusqlite::Result;

use super::tx::Tx;
use super::{auth_request, delivery, event, ledger, suppression};

/// Quotas, request, delivery, input and events, or nothing.
pub(super) fn open(tx: &Tx<'_>, opening: &mut Opening) -> Result<Decision> {
    let client = opening.client.as_ref();
    let ledger = sending(tx, (opening.address, opening.counted_as), client)?;
    let found = Found {
        request: None,
        input: None,
        ledger: &ledger,
    };
    let decision = (opening.decide)(found, tx.now);
    if let Some(change) = &decision.change {
        auth_request::insert(tx, &change.request)?;
        if let Some(input) = &opening.input {
            delivery::put_input(tx, change.request.id, input)?;
        }
        follow(tx, opening.counted_as, change)?;
    }
    Ok(decision)
}

/// The request held still, with its input and its address's ledger.
pub(super) fn reissue(
    tx: &Tx<'_>,
    id: AuthRequestId,
    count_client: bool,
    decide: &mut Decide,
) -> Result<Decision> {
    let Some(request) = auth_request::find(tx.held(), id)? else {
        return Ok(missing(tx, decide));
    };
    let counted_as = request.address.counted_as(&request.client);
    let keys = (request.address.key(), counted_as);
    let ledger = sending(tx, keys, count_client.then_some(&request.client))?;
    let input = delivery::input(tx.held(), id)?;
    let found = Found {
        request: Some(&request),
        input: input.as_ref(),
        ledger: &ledger,
    };
    let decision = decide(found, tx.now);
    settle(tx, counted_as, &request, &decision)?;
    Ok(decision)
}

/// The request held still, with its address's guesses if they are asked for.
pub(super) fn redeem(
    tx: &Tx<'_>,
    id: AuthRequestId,
    with_guesses: bool,
    decide: &mut Decide,
) -> Result<Decision> {
    let Some(request) = auth_request::find(tx.held(), id)? else {
        return Ok(missing(tx, decide));
    };
    let counted_as = request.address.counted_as(&request.client);
    let guesses = if with_guesses {
        ledger::guesses(tx, counted_as)?
    } else {
        History::default()
    };
    let ledger = Ledger {
        guesses,
        ..Ledger::default()
    };
    let decision = decide(
        Found {
            request: Some(&request),
            input: None,
            ledger: &ledger,
        },
        tx.now,
    );
    settle(tx, counted_as, &request, &decision)?;
    Ok(decision)
}

fn missing(tx: &Tx<'_>, decide: &mut Decide) -> Decision {
    decide(
        Found {
            request: None,
            input: None,
            ledger: &Ledger::default(),
        },
        tx.now,
    )
}

/// What counts for a mail to the address, which is counted under the second key.
fn sending(
    tx: &Tx<'_>,
    (address, counted_as): (AddressKey, AddressKey),
    client: Option<&ClientId>,
) -> Result<Ledger> {
    Ok(Ledger {
        sends: ledger::sends(tx, counted_as)?,
        client_sends: client
            .map(|client| ledger::client_sends(tx, client))
            .transpose()?
            .unwrap_or_default(),
        guesses: ledger::guesses(tx, counted_as)?,
        suppressed: suppression::of(tx, address)?,
    })
}

fn settle(
    tx: &Tx<'_>,
    counted_as: AddressKey,
    before: &AuthRequest,
    decision: &Decision,
) -> Result<()> {
    let Some(change) = &decision.change else {
        return Ok(());
    };
    auth_request::update(tx, before, &change.request)?;
    follow(tx, counted_as, change)
}

/// Writes what goes with a request.
fn follow(tx: &Tx<'_>, counted_as: AddressKey, change: &Change) -> Result<()> {
    if let Some(sends) = &change.sends {
        ledger::put_sends(tx, counted_as, sends)?;
    }
    if let Some(sends) = &change.client_sends {
        tx.clients().put(&change.request.client, sends.clone());
    }
    if let Some(guesses) = &change.guesses {
        ledger::put_guesses(tx, counted_as, guesses)?;
    }
    if let Some(delivery) = &change.delivery {
        delivery::insert(tx, delivery)?;
    }
    event::append(tx, &change.events)
}
