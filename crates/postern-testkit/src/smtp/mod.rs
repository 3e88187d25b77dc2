//! An SMTP server that keeps what it accepts and misbehaves exactly when told to.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use postern_testkit::smtp::{Act, SmtpServer, Step};
//!
//! let server = SmtpServer::builder().start().await?;
//! server.once(Step::Rcpt, Act::reply(451));
//! // … let the code under test send a mail to `server.addr()`; its first RCPT is answered 451 …
//! let mails = server.wait_for(1).await;
//! assert_eq!(mails[0].to, ["ada@example.com"]);
//! # Ok(())
//! # }
//! ```

mod login;
mod script;
mod session;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use script::{Act, Step};
pub use tls::{Certificate, ServerIdentity};

use script::Script;
use tokio_rustls::TlsAcceptor;

/// How the server offers TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Encryption {
    /// None at all.
    #[default]
    None,
    /// Announced and taken up by STARTTLS.
    StartTls,
    /// From the first byte (RFC 8314).
    Implicit,
}

/// A message that a client handed over whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The envelope's sender, without angle brackets; empty for the null sender.
    pub from: String,
    /// The envelope's recipients, without angle brackets, in the order given.
    pub to: Vec<String>,
    /// The message as it was before dot-stuffing, with CRLF line ends. Empty when the server only counts.
    pub data: Vec<u8>,
    /// The login of the session, if there was one.
    pub login: Option<String>,
    /// Whether the session was encrypted.
    pub encrypted: bool,
    /// Which connection of this server it came by, from 1.
    pub connection: u64,
    /// Whether the client was told that the message was accepted.
    pub answered: bool,
    /// The parameters of MAIL FROM (such as `SMTPUTF8`), upper-cased.
    pub parameters: Vec<String>,
    /// When it was handed over whole.
    pub at: Instant,
}

/// Settings of an [`SmtpServer`] that cannot change once it runs.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    encryption: Encryption,
    certificate: Certificate,
    account: Option<(String, String)>,
    token_user: Option<String>,
    count_only: bool,
    no_pipelining: bool,
    no_smtputf8: bool,
}

impl Builder {
    /// Offers TLS in this way. Default: none.
    #[must_use]
    pub fn encryption(mut self, encryption: Encryption) -> Self {
        self.encryption = encryption;
        self
    }

    /// Presents a certificate of this kind. Default: a good one.
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// Announces AUTH PLAIN and LOGIN and refuses mail from anybody but this account.
    #[must_use]
    pub fn account(mut self, username: &str, password: &str) -> Self {
        self.account = Some((username.to_owned(), password.to_owned()));
        self
    }

    /// Announces AUTH XOAUTH2 and refuses mail from anybody but this user with an access token that
    /// [`SmtpServer::accept_token`] named last.
    #[must_use]
    pub fn token_user(mut self, username: &str) -> Self {
        self.token_user = Some(username.to_owned());
        self
    }

    /// Counts messages and keeps none: a sink for load.
    #[must_use]
    pub fn count_only(mut self) -> Self {
        self.count_only = true;
        self
    }

    /// Does not announce PIPELINING (RFC 2920).
    #[must_use]
    pub fn without_pipelining(mut self) -> Self {
        self.no_pipelining = true;
        self
    }

    /// Does not announce SMTPUTF8 (RFC 6531).
    #[must_use]
    pub fn without_smtputf8(mut self) -> Self {
        self.no_smtputf8 = true;
        self
    }

    /// Listens on a free port of 127.0.0.1 and serves until the server is dropped.
    ///
    /// # Errors
    /// When no port can be bound or no certificate can be made.
    pub async fn start(self) -> io::Result<SmtpServer> {
        self.start_at("127.0.0.1:0").await
    }

    /// Listens on a given address.
    ///
    /// # Errors
    /// When the address cannot be bound or no certificate can be made.
    pub async fn start_at(self, addr: &str) -> io::Result<SmtpServer> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let (acceptor, ca_pem) = tls::acceptor(self.certificate).map_err(io::Error::other)?;
        let shared = Arc::new(Shared::new(self, acceptor));
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(SmtpServer {
            addr,
            ca_pem,
            shared,
            task,
        })
    }
}

/// A running server. Dropping it closes its port and every connection.
#[derive(Debug)]
pub struct SmtpServer {
    addr: SocketAddr,
    ca_pem: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts describing a server.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate of the authority that a client must trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Misbehaves at the next such step, once. Orders queue: two of them are two faults in a row.
    pub fn once(&self, step: Step, act: Act) {
        self.shared.script().push(step, None, act, Some(1));
    }

    /// Misbehaves at the next `times` such steps.
    pub fn times(&self, times: u32, step: Step, act: Act) {
        self.shared.script().push(step, None, act, Some(times));
    }

    /// Misbehaves at every such step until [`SmtpServer::heal`].
    pub fn always(&self, step: Step, act: Act) {
        self.shared.script().push(step, None, act, None);
    }

    /// Misbehaves at every such step of a mail to `recipient` (compared without regard to case).
    /// Only the steps from RCPT on know the recipient.
    pub fn always_for(&self, recipient: &str, step: Step, act: Act) {
        self.shared.script().push(step, Some(recipient), act, None);
    }

    /// Misbehaves at the next such step of a mail to `recipient`, once.
    pub fn once_for(&self, recipient: &str, step: Step, act: Act) {
        self.shared
            .script()
            .push(step, Some(recipient), act, Some(1));
    }

    /// From now on this access token logs in, and no other.
    pub fn accept_token(&self, token: &str) {
        *self.shared.token() = Some(token.to_owned());
    }

    /// Misbehaves, where there is no order, as `whim` decides at each step. The recipients are known
    /// from RCPT on.
    pub fn by_whim(&self, whim: impl FnMut(Step, &[String]) -> Option<Act> + Send + 'static) {
        self.shared.script().leave_to(Box::new(whim));
    }

    /// Dies: its port and every connection are closed. What it has received is still told.
    pub fn die(&self) {
        self.task.abort();
    }

    /// Forgets all orders and behaves.
    pub fn heal(&self) {
        self.shared.script().clear();
    }

    /// Every message handed over whole so far, answered or not, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.shared.mails().clone()
    }

    /// As [`Self::received`], but for the first `known` of them.
    pub fn received_after(&self, known: usize) -> Vec<Received> {
        let mails = self.shared.mails();
        mails.get(known..).unwrap_or_default().to_vec()
    }

    /// How many messages were handed over whole.
    pub fn count(&self) -> u64 {
        *self.shared.count.borrow()
    }

    /// Follows how many messages were handed over whole.
    pub fn counts(&self) -> watch::Receiver<u64> {
        self.shared.count.subscribe()
    }

    /// How many connections were accepted.
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Waits for a message to `recipient` and gives the first.
    ///
    /// # Panics
    /// When that takes more than 20 seconds.
    pub async fn wait_for_mail_to(&self, recipient: &str) -> Received {
        let mut watcher = self.shared.count.subscribe();
        let found = || {
            let mails = self.shared.mails();
            let mut to = mails.iter().filter(|mail| mail.to == [recipient]);
            to.next().cloned()
        };
        let looking = async {
            loop {
                watcher.mark_unchanged();
                if let Some(mail) = found() {
                    return mail;
                }
                let changed = watcher.changed().await;
                changed.expect("the sender lives as long as the server");
            }
        };
        let outcome = tokio::time::timeout(Duration::from_secs(20), looking).await;
        outcome.unwrap_or_else(|_| panic!("waited 20 s for a mail to {recipient}"))
    }

    /// Waits until `count` messages were handed over and gives them all.
    ///
    /// # Panics
    /// When that takes more than 20 seconds.
    pub async fn wait_for(&self, count: u64) -> Vec<Received> {
        let mut watcher = self.shared.count.subscribe();
        let waited = watcher.wait_for(|seen| *seen >= count);
        let outcome = tokio::time::timeout(Duration::from_secs(20), waited).await;
        assert!(
            outcome.is_ok_and(|seen| seen.is_ok()),
            "waited 20 s for {count} mails; {} came",
            self.count()
        );
        self.received()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all sessions of a server share.
pub(crate) struct Shared {
    pub(crate) options: Builder,
    pub(crate) acceptor: TlsAcceptor,
    script: Mutex<Script>,
    mails: Mutex<Vec<Received>>,
    token: Mutex<Option<String>>,
    count: watch::Sender<u64>,
    connections: AtomicU64,
}

impl Shared {
    fn new(options: Builder, acceptor: TlsAcceptor) -> Self {
        Self {
            options,
            acceptor,
            script: Mutex::default(),
            mails: Mutex::default(),
            token: Mutex::default(),
            count: watch::Sender::new(0),
            connections: AtomicU64::new(0),
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mails(&self) -> MutexGuard<'_, Vec<Received>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn token(&self) -> MutexGuard<'_, Option<String>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keep(&self, mail: Received) {
        if !self.options.count_only {
            self.mails().push(mail);
        }
        self.count.send_modify(|count| *count += 1);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let connection = shared.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let _ = stream.set_nodelay(true);
        sessions.spawn(session::serve(stream, Arc::clone(&shared), connection));
        while sessions.try_join_next().is_some() {}
    }
}
