//! What a verified callback tells, in our words.

use postern_core::model::{DeliveryId, Fate};
use postern_core::rules::is_bad_mailbox;

use crate::mail::{Reply, Stage};

/// One event of a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which mail it is about.
    pub subject: Subject,
    /// What became of it; `None` for what is no business of ours, such as an opened mail.
    pub what: Option<Fate>,
}

/// Which mail a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One of ours, by the Message-ID or the mark that we gave it.
    Delivery(DeliveryId),
    /// None that we know: an account may send other mail too.
    Foreign,
}

impl Subject {
    /// The mail with this Message-ID.
    pub(super) fn of_message_id(text: Option<&str>) -> Self {
        let found = text.and_then(DeliveryId::of_message_id);
        found.map_or(Self::Foreign, Self::Delivery)
    }

    /// The mail with this mark.
    pub(super) fn of_mark(text: Option<&str>) -> Self {
        let found = text.and_then(DeliveryId::parse);
        found.map_or(Self::Foreign, Self::Delivery)
    }
}

/// A bounce for good, with what was said; `surely` when the service itself says that there is no such
/// mailbox. What a server said may quote our mail: only plain words of it are kept.
pub(super) fn bounced(said: &str, surely: bool) -> Fate {
    let kept = Reply::new(Stage::EndOfData, None, said, &[]);
    Fate::Bounced {
        bad_mailbox: surely || is_bad_mailbox(said),
        reason: kept.text,
    }
}
