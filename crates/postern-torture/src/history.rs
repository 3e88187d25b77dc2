use std::fmt;
use std::sync::{Mutex, PoisonError};

/// What a person or an application did, as its client saw it. Moments are milliseconds since the run
/// began, on the one clock of this process.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Which node was asked.
    pub(crate) node: usize,
    /// By REST, else by gRPC.
    pub(crate) rest: bool,
    /// When it was asked.
    pub(crate) start: u64,
    /// When the answer, or the lack of one, was known.
    pub(crate) end: u64,
    pub(crate) act: Act,
    pub(crate) outcome: Outcome,
    /// What was answered, or what the client's library said.
    pub(crate) told: String,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A mail to this address, whose code lives so many seconds.
    Send { to: String, lifetime: u64 },
    /// The mail of this request again.
    Resend { to: String, request: String },
    /// Whether this code is right, and whether the client believes that it is.
    Verify {
        request: String,
        code: String,
        right: bool,
    },
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A mail will be sent, for this request.
    Sent(String),
    /// The code was right.
    Verified,
    /// Refused, with this error code.
    Refused(String),
    /// Nothing was done, says the server.
    NotDone,
    /// Nobody answered the door.
    Unreached,
    /// It may have taken effect: an unknown outcome, or no answer at all.
    Unknown,
    /// An answer that no contract knows, and whether it took effect nobody does.
    Garbled(String),
}

impl Outcome {
    /// Whether it is certain that nothing was done.
    pub(crate) fn is_not_done(&self) -> bool {
        matches!(self, Self::NotDone | Self::Unreached)
    }

    /// Whether it may have taken effect, and nobody knows.
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown | Self::Garbled(_))
    }

    /// Its name in a summary.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Sent(_) => "sent",
            Self::Verified => "verified",
            Self::NotDone => "not done",
            Self::Unreached => "unreached",
            Self::Unknown => "unknown",
            Self::Garbled(_) => "garbled",
            Self::Refused(code) => code,
        }
    }
}

/// A mail as the SMTP server took it.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// When it was seen; at most a quarter of a second after it was taken.
    pub(crate) at: u64,
    pub(crate) to: String,
    pub(crate) code: String,
    /// Its Message-ID.
    pub(crate) id: String,
    /// Whether the node was told that it was taken.
    pub(crate) answered: bool,
}

/// Something that is broken on purpose, and for some on which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// kill -9 of a node, and its start.
    Kill(usize),
    /// A node that stands still for a while.
    Stop(usize),
    /// SIGTERM to a node under load, and its start.
    Terminate(usize),
    /// All processes of the primary at once, and its start.
    Database,
    /// The end of the primary; the standby takes its place.
    Failover,
    /// A synchronous standby that receives nothing for a while.
    Standby,
    /// A database that gives all nodes together two connections, for a while.
    Connections,
    /// No network between a node and the database: connections break, new ones too.
    Cut(usize),
    /// A network that swallows everything for a while.
    Silent(usize),
    /// A network that takes 60 ms each way.
    Slow(usize),
    /// A disk without room, under SQLite.
    Disk,
    /// The clocks of some nodes, two seconds ahead or behind.
    Clock,
    /// An SMTP server that takes nothing for a while.
    Mail,
    /// The same, for longer than a credential lives.
    DeadMail,
    /// An SMTP server that takes mails and does not say so.
    LostAnswers,
    /// Far more calls at once than the store takes.
    Overload,
}

/// The longest that mails are held back after a fault, in milliseconds.
const LONGEST_PAUSE: u64 = 61_000;

impl Fault {
    /// What is broken, wherever it is.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill(_) => "kill -9",
            Self::Stop(_) => "SIGSTOP",
            Self::Terminate(_) => "SIGTERM",
            Self::Database => "database crash",
            Self::Failover => "failover",
            Self::Standby => "stalled standby",
            Self::Connections => "no connections",
            Self::Cut(_) => "network cut",
            Self::Silent(_) => "network silent",
            Self::Slow(_) => "network slow",
            Self::Disk => "disk full",
            Self::Clock => "clock step",
            Self::Mail => "mail refused",
            Self::DeadMail => "mail dead",
            Self::LostAnswers => "mail answers lost",
            Self::Overload => "overload",
        }
    }

    /// Whether a mail that went out may not have been written down as sent (lifecycle §9): its worker
    /// died or stood still, or the store did not take the word of it for a while. What is only slow, or
    /// busy for a moment, takes it in the end; answers of the mail server that were lost are known one
    /// by one.
    pub(crate) fn repeats_mails(self) -> bool {
        matches!(
            self,
            Self::Kill(_)
                | Self::Stop(_)
                | Self::Database
                | Self::Failover
                | Self::Standby
                | Self::Connections
                | Self::Cut(_)
                | Self::Silent(_)
                | Self::Disk
        )
    }

    /// Whether a call may fail because of it, which this node was asked: it is not done, nobody
    /// answers, or nobody knows.
    pub(crate) fn fails_calls(self, of: usize) -> bool {
        match self {
            // Nothing is between the caller and the store.
            Self::Mail | Self::DeadMail | Self::LostAnswers | Self::Clock => false,
            // What ends lets go of what it held in the database.
            Self::Kill(node) | Self::Terminate(node) | Self::Cut(node) => node == of,
            // What stands still, or is slow, holds rows that others wait for; the rest is everybody's.
            Self::Stop(_)
            | Self::Silent(_)
            | Self::Slow(_)
            | Self::Disk
            | Self::Overload
            | Self::Database
            | Self::Failover
            | Self::Standby
            | Self::Connections => true,
        }
    }

    /// For how long mails may be held back after its end, in milliseconds. Who closes connections is left
    /// alone by the circuit breaker, for 5 s, and for twice as long whenever he does so again, up to a
    /// minute; a second more for those who asked while somebody tried.
    pub(crate) fn holds_mails_back(self) -> u64 {
        match self {
            Self::LostAnswers => 11_000,
            Self::DeadMail => LONGEST_PAUSE,
            _ => 0,
        }
    }

    /// Until when mails may be held back once it lasted from `start` to `end`, where others before let them
    /// be so until `until`. Who is tried when that is over and fails again is left alone for twice as long.
    pub(crate) fn mails_wait_until(self, (start, end): (u64, u64), until: u64) -> u64 {
        match self.holds_mails_back() {
            0 => until,
            _ if start < until => end + LONGEST_PAUSE,
            held => end + held,
        }
    }

    /// Whether nobody may answer the door of this node.
    pub(crate) fn shuts_door(self, of: usize) -> bool {
        matches!(self, Self::Kill(node) | Self::Terminate(node) if node == of)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Kill(node)
            | Self::Stop(node)
            | Self::Terminate(node)
            | Self::Cut(node)
            | Self::Silent(node)
            | Self::Slow(node) => write!(f, " (node {node})"),
            _ => Ok(()),
        }
    }
}

/// A fault that was inflicted, from when until it was mended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// How much of the time before that went by while what had ended was started again, until it said
    /// that it is ready.
    pub(crate) mending: u64,
    /// How long it took from the end until people signed in at every node by both doors; none when that
    /// never came.
    pub(crate) recovered: Option<u64>,
    /// Whether their mails and codes were waited for, not only their sends.
    pub(crate) whole: bool,
}

/// Everything that was seen, in the order of its ends.
#[derive(Default)]
pub(crate) struct History {
    calls: Mutex<Vec<Call>>,
}

impl History {
    pub(crate) fn add(&self, call: Call) {
        self.lock().push(call);
    }

    pub(crate) fn all(&self) -> Vec<Call> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
