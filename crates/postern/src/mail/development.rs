//! Which way mails go in development: into the inbox, and on to the providers when there are any.

use std::sync::Arc;

use postern_core::model::DeliveryId;
use quick_cache::sync::Cache;

use super::{Carrier, Providers, Route};

/// How many mails are remembered as copied. A repeat of an older one is copied once more.
const REMEMBERED: usize = 10_000;

/// The development inbox before the providers.
pub struct Development {
    inbox: Arc<Carrier>,
    alone: Arc<[Arc<Carrier>]>,
    providers: Providers,
    copied: Cache<DeliveryId, ()>,
}

impl Development {
    /// A route through both.
    pub fn new(inbox: Arc<Carrier>, providers: Providers) -> Self {
        Self {
            alone: Arc::from([Arc::clone(&inbox)]),
            inbox,
            providers,
            copied: Cache::new(REMEMBERED),
        }
    }
}

impl Route for Development {
    fn carriers(&self) -> Result<Arc<[Arc<Carrier>]>, String> {
        if self.providers.is_empty() {
            return Ok(Arc::clone(&self.alone));
        }
        self.providers.carriers()
    }

    fn copies(&self, delivery: DeliveryId) -> Option<Arc<Carrier>> {
        if self.providers.is_empty() || self.copied.get(&delivery).is_some() {
            return None;
        }
        self.copied.insert(delivery, ());
        Some(Arc::clone(&self.inbox))
    }

    fn tidy(&self) {
        self.providers.tidy();
    }
}
