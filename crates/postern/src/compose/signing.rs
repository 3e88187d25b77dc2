//! Signing keys at the first start.

use std::sync::Arc;

use postern_core::flow::Postern;
use postern_core::model::{SigningKey, SigningState, Snapshot};
use postern_core::ports::Amendment;

use super::error::StartError;
use crate::oauth::keys;
use crate::world::SystemEntropy;

/// Makes the signing keys that the store still lacks: both at the first start, none later.
///
/// # Errors
/// They cannot be made or kept.
pub(super) async fn complete(postern: &Arc<Postern>) -> Result<(), StartError> {
    let mut making = Vec::new();
    for state in keys::wanted(&postern.snapshot()) {
        let postern = Arc::clone(postern);
        let make = move || keys::make(state, &postern.keyring(), &SystemEntropy, postern.now());
        making.push(tokio::task::spawn_blocking(make));
    }
    if making.is_empty() {
        return Ok(());
    }
    let mut made = Vec::new();
    for key in making {
        let key = key.await.ok().and_then(Result::ok);
        made.push(key.ok_or_else(|| StartError::Other("no signing key could be made".to_owned()))?);
    }
    // Another node may have been first: only what is still lacking is kept.
    let amend = move |held: &Snapshot, _| Ok(lacking(held, &made));
    postern
        .amend(Box::new(amend))
        .await
        .map_err(|error| StartError::Other(format!("signing keys: {error}")))?;
    Ok(())
}

fn lacking(held: &Snapshot, made: &[SigningKey]) -> Vec<Amendment> {
    let wanted: Vec<SigningState> = keys::wanted(held);
    let still = made.iter().filter(|key| wanted.contains(&key.state));
    still.cloned().map(Amendment::PutSigningKey).collect()
}
