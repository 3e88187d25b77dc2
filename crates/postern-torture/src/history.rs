use std::sync::{Mutex, PoisonError};

/// What a person or an application did, as its client saw it. Moments are milliseconds since the run
/// began, on the one clock of this process.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// When it was asked.
    pub(crate) start: u64,
    /// When the answer, or the lack of one, was known.
    pub(crate) end: u64,
    pub(crate) act: Act,
    pub(crate) outcome: Outcome,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A mail to this address.
    Send { to: String },
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
    /// Nothing was done, says the server, or it could not be reached.
    NotDone,
    /// It may have taken effect: an unknown outcome, or no answer at all.
    Unknown,
}

/// A mail as the SMTP server took it.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// When it was seen; at most half a second after it was taken.
    pub(crate) at: u64,
    pub(crate) to: String,
    pub(crate) code: String,
    pub(crate) id: String,
}

/// Something that was broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// kill -9 of a node, and its start.
    Kill(usize),
    /// A node that stands still for a while.
    Stop(usize),
    /// SIGTERM to a node under load, and its start.
    Terminate(usize),
    /// All processes of the database at once, and its start.
    Database,
    /// An SMTP server that takes nothing for a while.
    Mail,
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
