//! What became of one attempt to hand a mail over, in the terms of RFC 5321.

use std::fmt;

use super::Matter;

/// How one attempt ended. The rule behind the cases: a recipient refused, or a message refused
/// once it was seen whole, is final; any other refusal is about the provider, not the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server took responsibility for the message.
    Sent(Reply),
    /// Refused for good (5xx at RCPT or at the end of DATA): never to be repeated.
    Bounced(Reply),
    /// Refused for a reason that is the provider's (5xx at the greeting, EHLO, AUTH, MAIL or DATA,
    /// a bad certificate, no login mechanism): an operator should look. The mail is not to blame.
    ProviderTrouble(Reply),
    /// Deferred (4xx), or the connection failed before the message was out: worth a later try.
    Retry(Reply),
    /// The message went out whole and no answer came: it may have been accepted. Repeating it is
    /// allowed because the repeat carries the same `Message-ID`.
    Unsure(Reply),
}

impl Outcome {
    /// What the server said, or what happened instead.
    pub fn reply(&self) -> &Reply {
        match self {
            Self::Sent(reply)
            | Self::Bounced(reply)
            | Self::ProviderTrouble(reply)
            | Self::Retry(reply)
            | Self::Unsure(reply) => reply,
        }
    }

    /// Whether the provider was in trouble, and not the mail: its connection, TLS or login failed,
    /// it refused for a reason of its own, or it never answered. A 4xx from MAIL FROM on is not
    /// trouble but a wish for patience with this one mail.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Sent(_) | Self::Bounced(_) => false,
            Self::ProviderTrouble(_) | Self::Unsure(_) => true,
            Self::Retry(reply) => reply.code.is_none() || reply.stage < Stage::Mail,
        }
    }

    /// One word for logs and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::Bounced(_) => "bounced",
            Self::ProviderTrouble(_) => "provider_trouble",
            Self::Retry(_) => "retry",
            Self::Unsure(_) => "unsure",
        }
    }
}

/// The last word on an attempt, fit for events and logs: bounded, on one line, without addresses
/// or secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// How far the dialogue had come.
    pub stage: Stage,
    /// The SMTP reply code, when the server gave one.
    pub code: Option<u16>,
    /// The text, at most [`Reply::MAX_TEXT`] characters.
    pub text: String,
    /// What an operator has to look at, where more is known of it than the stage.
    pub matter: Option<Matter>,
}

impl Reply {
    /// The most characters of text that are kept.
    pub const MAX_TEXT: usize = 200;

    /// Keeps what may be kept of `text`: control characters become spaces, words with an `@` or
    /// with a piece of one of `secrets` are masked, and the rest is cut at the bound.
    ///
    /// A server that refuses the message it has seen may quote it, broken over lines and encoded; of
    /// what it says then, words that look like anything but prose are masked too. One that takes it
    /// says by which id its own log knows it, which is kept.
    pub fn new(stage: Stage, code: Option<u16>, text: &str, secrets: &[&str]) -> Self {
        let taken = code.is_some_and(|code| code / 100 == 2);
        let quoting = stage == Stage::EndOfData && !taken;
        let words: Vec<&str> = text
            .split(|c: char| is_unseen(c) || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .map(|word| {
                if word.contains('@') {
                    "<address>"
                } else if secrets.iter().any(|secret| holds_piece(word, secret))
                    || (quoting && !is_prose(word))
                {
                    "***"
                } else {
                    word
                }
            })
            .collect();
        Self {
            stage,
            code,
            text: words.join(" ").chars().take(Self::MAX_TEXT).collect(),
            matter: None,
        }
    }
}

/// Whether it moves what stands around it on a screen and is not seen itself: a control character, or one
/// that turns the direction of a text.
pub(crate) fn is_unseen(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// Whether the word holds five characters in a row of the secret, or all of a shorter one.
pub(super) fn holds_piece(word: &str, secret: &str) -> bool {
    let size = secret.chars().count().min(5);
    let starts = word.char_indices().map(|(start, _)| start);
    let starts: Vec<usize> = starts.chain([word.len()]).collect();
    size >= 4
        && starts
            .windows(size + 1)
            .any(|piece| secret.contains(&word[piece[0]..piece[size]]))
}

/// Whether the word is a plain one, or an enhanced status code such as 5.7.1 (RFC 3463).
pub(super) fn is_prose(word: &str) -> bool {
    let status = |c: char| c.is_ascii_digit() || c == '.';
    let letter = |c: char| c.is_ascii_alphabetic() || "-'.,:;!?()[]\"".contains(c);
    let is_status = word.chars().all(status) && word.split('.').count() == 3;
    is_status || (word.chars().all(letter) && word.len() <= 24)
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.stage.as_str())?;
        if let Some(code) = self.code {
            write!(f, "{code} ")?;
        }
        f.write_str(&self.text)
    }
}

/// A stretch of the SMTP dialogue (RFC 5321 §3), named for what was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Waiting for a free connection.
    Pool,
    /// Looking the name up and connecting.
    Connect,
    /// The TLS handshake, at once or after STARTTLS.
    Tls,
    /// Greeting and EHLO.
    Greeting,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// The DATA command.
    Data,
    /// From the first byte of the message to the answer to its final dot.
    EndOfData,
}

impl Stage {
    /// The stage's name in events and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pool => "pool",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::EndOfData => "end of data",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_keeps_no_address_no_secret_and_no_line_break() {
        let said = "5.1.1 <ada@example.com>: no such user,\r\nyour code 482913 in https://a.example/?link_token=abcdef_l";
        let reply = Reply::new(Stage::Rcpt, Some(550), said, &["482913", "abcdef_l"]);
        assert_eq!(
            reply.to_string(),
            "rcpt: 550 5.1.1 <address> no such user, your code *** in ***"
        );
    }

    #[test]
    fn a_server_that_quotes_the_message_broken_over_lines_gives_no_piece_of_it_away() {
        let said = "5.7.1 refused: \"https://a.example/?link_token=3DAZabcdefGHIJKLMN=\r\n OPQRSTuvwx_l code 4829=\r\n13 order A-778\"";
        let token = "AZabcdefGHIJKLMNOPQRSTuvwx_l";
        let reply = Reply::new(Stage::EndOfData, Some(554), said, &["482913", token]);
        assert_eq!(reply.text, "5.7.1 refused: *** *** code *** *** order ***");
    }

    #[test]
    fn the_id_by_which_a_provider_knows_a_mail_that_it_took_is_kept() {
        let said = "2.0.0 Ok: queued as 4bN7Qx2mVz for ada@example.com, code 482913";
        let reply = Reply::new(Stage::EndOfData, Some(250), said, &["482913"]);
        let kept = "2.0.0 Ok: queued as 4bN7Qx2mVz for <address> code ***";
        assert_eq!(reply.text, kept);
    }

    #[test]
    fn a_4xx_is_trouble_before_the_mail_is_named_and_a_wish_for_patience_after() {
        let retry = |stage, code| Outcome::Retry(Reply::new(stage, code, "", &[])).is_trouble();
        for stage in [Stage::Greeting, Stage::Auth] {
            assert!(retry(stage, Some(421)), "{stage:?}");
        }
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::EndOfData] {
            assert!(!retry(stage, Some(451)), "{stage:?}");
        }
        assert!(retry(Stage::Rcpt, None));
    }

    #[test]
    fn a_reply_cannot_move_what_stands_around_it() {
        let said = "no\u{1b}[2J such \u{202e}user\u{2066}";
        let reply = Reply::new(Stage::Rcpt, Some(550), said, &[]);
        assert_eq!(reply.text, "no [2J such user");
    }

    #[test]
    fn a_reply_is_bounded_by_characters() {
        let reply = Reply::new(Stage::Mail, None, &"é".repeat(10_000), &[]);
        assert_eq!(reply.text.chars().count(), Reply::MAX_TEXT);
    }
}
