//! An SMTP server that takes everything and keeps nothing, on a thread of its own.

use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, ensure};
use postern_testkit::smtp::SmtpServer;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// How often the mails are counted while many come.
const LOOK: Duration = Duration::from_millis(1);

/// A running sink. It ends when dropped.
pub(super) struct Sink {
    server: SmtpServer,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Starts one that only counts, or one that keeps what it gets.
    pub(super) async fn start(count_only: bool) -> anyhow::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let builder = SmtpServer::builder();
                let builder = if count_only {
                    builder.count_only()
                } else {
                    builder
                };
                // Who started us is gone, or asks us to end.
                let _ = tell.send(builder.start().await);
                let _ = stopped.await;
            });
        });
        Ok(Self {
            server: told.await.context("the sink ended")??,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.server.addr().port()
    }

    /// How many mails came.
    pub(super) fn count(&self) -> u64 {
        self.server.count()
    }

    /// Waits until so many mails came.
    pub(super) async fn reaches(&self, mails: u64, within: Duration) -> anyhow::Result<()> {
        let mut counts = self.server.counts();
        let came = timeout(within, counts.wait_for(|count| *count >= mails)).await;
        ensure!(came.is_ok(), "{} of {mails} mails came", self.count());
        Ok(())
    }

    /// The same for many mails: who looks at each of them takes time that belongs to the server.
    pub(super) async fn passes(&self, mails: u64, within: Duration) -> anyhow::Result<()> {
        let came = async {
            while self.count() < mails {
                sleep(LOOK).await;
            }
        };
        ensure!(
            timeout(within, came).await.is_ok(),
            "{} of {mails} mails came",
            self.count()
        );
        Ok(())
    }

    /// How long the last mail was, where they are kept.
    pub(super) fn last_size(&self) -> Option<usize> {
        self.server.received().last().map(|mail| mail.data.len())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
