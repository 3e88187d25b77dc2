//! Threads of the outbox's own.

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// How many tasks a thread runs before it looks whether a server has answered: few, because making a mail
/// takes longer than a server's answer, and one that waits for a thread keeps its connection from the next.
const EVENTS: u32 = 8;

/// Threads that make mails and hand them over, one for each core: so that many mails hold up no call,
/// and a burst of them has the whole machine while nobody calls.
#[derive(Debug)]
pub struct Apart(Option<Runtime>);

impl Apart {
    /// Starts them.
    ///
    /// # Errors
    /// The system gives no threads.
    pub fn start() -> io::Result<Self> {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        let built = Builder::new_multi_thread()
            .worker_threads(cores)
            .thread_name("mail")
            .event_interval(EVENTS)
            .enable_all()
            .build();
        Ok(Self(Some(built?)))
    }

    /// Runs a task there.
    pub(super) fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let runtime = self.0.as_ref();
        runtime.expect("taken only when dropped").spawn(task)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // A runtime waits for its threads when it is dropped, which no task may do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
