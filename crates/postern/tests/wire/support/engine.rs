//! A stand-in for the store until the real one is here: keeps requests in a map.
use std::{collections::HashMap, sync::Mutex, time::Duration};

use async_trait::async_trait;
use postern_core::{Error, model::*, ports::*};

pub(crate) struct MapEngine {
    pub(crate) snapshot: Mutex<Snapshot>,
    pub(crate) requests: Mutex<HashMap<AuthRequestId, AuthRequest>>,
    pub(crate) now: fn() -> Timestamp,
}

impl MapEngine {
    fn act(&self, id: Option<AuthRequestId>, mut decide: Decide) -> Decision {
        let mut requests = self.requests.lock().unwrap();
        let held = id.and_then(|id| requests.get(&id).cloned());
        let ledger = Ledger::default();
        let found = Found {
            request: held.as_ref(),
            input: None,
            ledger: &ledger,
        };
        let decision = decide(found, (self.now)());
        if let Some(change) = &decision.change {
            requests.insert(change.request.id, change.request.clone());
        }
        decision
    }
}

type R<T> = Result<T, StoreError>;

#[async_trait]
impl Store for MapEngine {
    async fn open_auth_request(&self, opening: Opening) -> R<Decision> {
        Ok(self.act(None, opening.decide))
    }
    async fn reissue(&self, id: AuthRequestId, _: bool, decide: Decide) -> R<Decision> {
        Ok(self.act(Some(id), decide))
    }
    async fn redeem(&self, id: AuthRequestId, _: bool, decide: Decide) -> R<Decision> {
        Ok(self.act(Some(id), decide))
    }
    async fn claim_deliveries(&self, _: NodeId, _: usize, _: Duration) -> R<Vec<DeliveryId>> {
        Err(StoreError::Refused)
    }
    async fn release_leases(&self, _: NodeId) -> R<usize> {
        Err(StoreError::Refused)
    }
    async fn find_outgoing(&self, _: DeliveryId) -> R<Option<Outgoing>> {
        Err(StoreError::Refused)
    }
    async fn settle_delivery(&self, _: Settled) -> R<()> {
        Err(StoreError::Refused)
    }
    async fn outbox(&self) -> R<OutboxState> {
        Err(StoreError::Refused)
    }
    async fn record(&self, _: Vec<Event>) -> R<()> {
        Ok(())
    }
    async fn timeline(&self, _: AuthRequestId) -> R<Vec<Event>> {
        Err(StoreError::Refused)
    }
    async fn find_auth_request(&self, id: AuthRequestId) -> R<Option<AuthRequest>> {
        Ok(self.requests.lock().unwrap().get(&id).cloned())
    }
    async fn sweep(&self, _: Keep) -> R<Swept> {
        Err(StoreError::Refused)
    }
    async fn forget_address(&self, _: &Email) -> R<u64> {
        Err(StoreError::Refused)
    }
    async fn kids_in_use(&self) -> R<Vec<u8>> {
        Err(StoreError::Refused)
    }
    async fn ping(&self) -> R<()> {
        Ok(())
    }
}

#[async_trait]
impl Registry for MapEngine {
    async fn revision(&self) -> R<u64> {
        Ok(self.snapshot.lock().unwrap().revision)
    }
    async fn snapshot(&self) -> R<Snapshot> {
        Ok(self.snapshot.lock().unwrap().clone())
    }
    async fn amend(&self, mut amend: Amend) -> R<Result<Snapshot, Error>> {
        let mut snapshot = self.snapshot.lock().unwrap();
        let changes = match amend(&snapshot, (self.now)()) {
            Ok(changes) => changes,
            Err(error) => return Ok(Err(error)),
        };
        for change in changes {
            match change {
                Amendment::PutClient(client) => {
                    snapshot.clients.insert(client.id.clone(), client);
                }
                Amendment::DropClient(id) => {
                    snapshot.clients.remove(&id);
                }
                Amendment::PutSigningKey(key) => {
                    snapshot.signing_keys.retain(|held| held.kid != key.kid);
                    snapshot.signing_keys.push(key);
                }
                Amendment::PutSetting { name, value } => {
                    let pair = (name.as_str(), value.as_str());
                    snapshot.settings = match snapshot.settings.with([pair]) {
                        Ok(s) => s,
                        Err(v) => return Ok(Err(Error::Invalid(v))),
                    };
                }
                _ => {}
            }
        }
        snapshot.revision += 1;
        Ok(Ok(snapshot.clone()))
    }
}

#[async_trait]
impl Engine for MapEngine {
    async fn close(&self) {}
}
