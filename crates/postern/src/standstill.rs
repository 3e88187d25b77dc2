//! Paused time that stands still, for tests.

use std::sync::mpsc;
use std::time::Duration;

/// Holds paused time still, which else runs on by itself while a store's thread is waited for.
/// Without it for so long on end, what is late comes after all, but late.
pub(crate) struct Standstill(
    #[expect(dead_code, reason = "ends it when dropped")] mpsc::Sender<()>,
);

impl Standstill {
    pub(crate) fn begin() -> Self {
        const PATIENCE: Duration = Duration::from_secs(30);
        let (sender, over) = mpsc::channel();
        tokio::task::spawn_blocking(move || over.recv_timeout(PATIENCE));
        Self(sender)
    }
}
