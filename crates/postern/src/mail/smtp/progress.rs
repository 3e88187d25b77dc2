//! How far a dialogue has come, for who watches it from outside.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::mail::Stage;

/// Every stage, in its order.
const ALL: [Stage; 9] = [
    Stage::Pool,
    Stage::Connect,
    Stage::Tls,
    Stage::Greeting,
    Stage::Auth,
    Stage::Mail,
    Stage::Rcpt,
    Stage::Data,
    Stage::EndOfData,
];

/// The stage that a dialogue is in.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    /// The dialogue has come to this stage.
    pub(super) fn reach(&self, stage: Stage) {
        let place = ALL.iter().position(|one| *one == stage).unwrap_or_default();
        let place = u8::try_from(place).expect("there are nine stages");
        self.0.store(place, Ordering::Relaxed);
    }

    /// Where it is.
    pub(super) fn stage(&self) -> Stage {
        ALL[usize::from(self.0.load(Ordering::Relaxed))]
    }
}
