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
    let (code, words) = reply_code(said);
    let kept = Reply::new(Stage::EndOfData, code, words, &[]).text;
    Fate::Bounced {
        bad_mailbox: surely || is_bad_mailbox(said),
        reason: code.map_or(kept.clone(), |code| {
            format!("{code} {kept}").trim_end().to_owned()
        }),
    }
}

/// The code with which an SMTP server refuses, where a text begins with one, and what follows.
fn reply_code(said: &str) -> (Option<u16>, &str) {
    let said = said.trim_start();
    let said = said.strip_prefix("smtp;").unwrap_or(said).trim_start();
    let parted = said.split_at_checked(3);
    let code = parted.and_then(|(digits, rest)| {
        let code = digits
            .parse()
            .ok()
            .filter(|code| (400..600).contains(code))?;
        let ends = rest.is_empty() || rest.starts_with([' ', '-']);
        ends.then(|| (Some(code), rest.trim_start_matches([' ', '-'])))
    });
    code.unwrap_or((None, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_tells_the_reply_code_and_plain_words_and_no_other_number() {
        for (said, expected) in [
            (
                "550 5.1.1 no such user 482913",
                "550 5.1.1 no such user ***",
            ),
            ("smtp;550 5.1.1 gone", "550 5.1.1 gone"),
            ("smtp; 550-5.1.1 gone", "550 5.1.1 gone"),
            ("552", "552"),
            ("482913 is your code", "*** is your code"),
            ("250 482913 taken", "*** *** taken"),
            ("5.1.1 gone", "5.1.1 gone"),
            ("", ""),
        ] {
            let Fate::Bounced { reason, .. } = bounced(said, false) else {
                panic!("a bounce");
            };
            assert_eq!(reason, expected, "{said}");
        }
    }
}
