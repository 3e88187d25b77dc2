//! Why a dialogue failed, and what that means for the mail.

use lettre::transport::smtp::Error;

use super::answer::TooMuch;
use crate::mail::{Matter, Outcome, Reply, Stage};

/// Where and how a dialogue failed.
#[derive(Debug)]
pub(super) struct Failure {
    stage: Stage,
    cause: Cause,
    text: String,
    hang_up: bool,
    matter: Option<Matter>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The server answered with this code.
    Refused(u16),
    /// The server and our settings do not fit; trying again changes nothing.
    Misfit,
    /// The connection failed, or what came was not SMTP.
    Connection,
    /// The server says more than anybody needs to.
    Babble,
}

impl Failure {
    pub(super) fn of(stage: Stage, error: &Error) -> Self {
        if let Some(found) = TooMuch::under(error) {
            return Self::too_much(stage, found);
        }
        let cause = match error.status() {
            Some(code) => Cause::Refused(code.into()),
            None if error.is_client() => Cause::Misfit,
            None => Cause::Connection,
        };
        Self::new(stage, cause, said(error))
    }

    pub(super) fn too_much(stage: Stage, found: TooMuch) -> Self {
        Self::new(stage, Cause::Babble, found.to_string()).hang_up()
    }

    pub(super) fn misfit(stage: Stage, text: impl Into<String>) -> Self {
        Self::new(stage, Cause::Misfit, text.into())
    }

    pub(super) fn connection(stage: Stage, text: impl Into<String>) -> Self {
        Self::new(stage, Cause::Connection, text.into())
    }

    pub(super) fn refused(stage: Stage, code: u16, text: impl Into<String>) -> Self {
        Self::new(stage, Cause::Refused(code), text.into())
    }

    fn new(stage: Stage, cause: Cause, text: String) -> Self {
        Self {
            stage,
            cause,
            text,
            hang_up: false,
            matter: None,
        }
    }

    /// The same, of which it is known what an operator has to look at.
    pub(super) fn about(mut self, matter: Option<Matter>) -> Self {
        self.matter = matter;
        self
    }

    /// Whether an idle connection had simply died, so that a fresh one may be tried at once:
    /// nothing can have been accepted, because the server had not yet asked for the message.
    pub(super) fn was_stale(&self) -> bool {
        self.stage < Stage::EndOfData
            && matches!(self.cause, Cause::Connection | Cause::Refused(421))
    }

    /// The same, without what is secret in the server's words.
    pub(super) fn hiding(mut self, secrets: &[&str]) -> Self {
        self.text = Reply::new(self.stage, None, &self.text, secrets).text;
        self
    }

    /// Whether the server answered that it will not, whenever it is asked.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.cause, Cause::Refused(500..))
    }

    /// Marks the connection as of no more use, although the server answered.
    pub(super) fn hang_up(mut self) -> Self {
        self.hang_up = true;
        self
    }

    /// Whether the server is still at the same point of the dialogue as we are.
    pub(super) fn in_step(&self) -> bool {
        !self.hang_up && !matches!(self.cause, Cause::Connection | Cause::Refused(421))
    }

    /// What the failure means (RFC 5321 §4.2.1: 4xx may pass, 5xx will not).
    pub(super) fn outcome(self, secrets: &[&str]) -> Outcome {
        let code = match self.cause {
            Cause::Refused(code) => Some(code),
            Cause::Misfit | Cause::Connection | Cause::Babble => None,
        };
        let mut reply = Reply::new(self.stage, code, &self.text, secrets);
        reply.matter = self.matter;
        match (self.cause, self.stage) {
            (Cause::Refused(500..), Stage::Rcpt | Stage::EndOfData)
            | (Cause::Misfit, Stage::Rcpt) => Outcome::Bounced(reply),
            (Cause::Connection | Cause::Babble, Stage::EndOfData) => Outcome::Unsure(reply),
            (Cause::Refused(500..) | Cause::Misfit | Cause::Babble, _) => {
                Outcome::ProviderTrouble(reply)
            }
            (Cause::Refused(_) | Cause::Connection, _) => Outcome::Retry(reply),
        }
    }
}

/// The server's words, or the operating system's, without the SMTP crate's preamble.
fn said(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
