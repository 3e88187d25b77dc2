//! What a scripted server does instead of behaving.

use std::collections::VecDeque;
use std::time::Duration;

/// A point of an SMTP dialogue at which the server can be told to misbehave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Before the 220 greeting.
    Banner,
    /// At EHLO or HELO (also the second one, after STARTTLS).
    Ehlo,
    /// At the STARTTLS command.
    StartTls,
    /// At AUTH.
    Auth,
    /// At MAIL FROM.
    Mail,
    /// At RCPT TO.
    Rcpt,
    /// At the DATA command, before the message.
    Data,
    /// After the first line of the message, before it is complete.
    Body,
    /// After the final dot, before the answer to it.
    EndOfData,
    /// At RSET.
    Reset,
}

/// What the server does at a [`Step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Answers with this code and text and goes on with the dialogue. A code below 400 at
    /// [`Step::EndOfData`] accepts the message, any other discards it.
    Reply(u16, String),
    /// Answers with this code and text and closes the connection.
    ReplyAndDrop(u16, String),
    /// Closes the connection without a word.
    Drop,
    /// At [`Step::EndOfData`]: keeps the message as accepted, then closes without answering.
    /// Elsewhere the same as [`Act::Drop`].
    AcceptAndDrop,
    /// Says nothing until the client closes the connection.
    Silence,
    /// At [`Step::EndOfData`]: keeps the message as accepted, then says nothing until the client
    /// closes the connection. Elsewhere the same as [`Act::Silence`].
    AcceptAndSilence,
    /// Waits this long, then behaves.
    Slow(Duration),
}

impl Act {
    /// A reply with the given code and a text that fits any of them.
    pub fn reply(code: u16) -> Self {
        Self::Reply(code, "scripted answer".to_owned())
    }
}

/// One order: when it applies and what to do then.
#[derive(Debug, Clone)]
struct Order {
    step: Step,
    recipient: Option<String>,
    act: Act,
    left: Option<u32>,
}

/// Decides, step by step, whether the server misbehaves; the recipients are known from RCPT on.
pub(crate) type Whim = Box<dyn FnMut(Step, &[String]) -> Option<Act> + Send>;

/// The orders a server still has to carry out, first match first, and what it does of itself where
/// there is none.
#[derive(Default)]
pub(crate) struct Script {
    orders: VecDeque<Order>,
    whim: Option<Whim>,
}

impl Script {
    pub(crate) fn push(
        &mut self,
        step: Step,
        recipient: Option<&str>,
        act: Act,
        times: Option<u32>,
    ) {
        self.orders.push_back(Order {
            step,
            recipient: recipient.map(str::to_lowercase),
            act,
            left: times,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.orders.clear();
        self.whim = None;
    }

    pub(crate) fn leave_to(&mut self, whim: Whim) {
        self.whim = Some(whim);
    }

    /// Takes the act ordered for this moment, if there is one, and uses up one of its times.
    pub(crate) fn take(&mut self, step: Step, recipients: &[String]) -> Option<Act> {
        let ordered = self.ordered(step, recipients);
        ordered.or_else(|| self.whim.as_mut()?(step, recipients))
    }

    fn ordered(&mut self, step: Step, recipients: &[String]) -> Option<Act> {
        let index = self.orders.iter().position(|order| {
            order.step == step
                && order.recipient.as_ref().is_none_or(|wanted| {
                    recipients.iter().any(|to| to.eq_ignore_ascii_case(wanted))
                })
        })?;
        let order = &mut self.orders[index];
        let act = order.act.clone();
        if let Some(left) = &mut order.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.orders.remove(index);
            }
        }
        Some(act)
    }
}
