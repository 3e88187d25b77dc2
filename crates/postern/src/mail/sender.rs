//! Who mails are from.

use std::fmt;
use std::str::FromStr;

use lettre::Address;
use lettre::message::Mailbox;

/// The sender of mails: an address with an ASCII local part at a domain in ASCII form, perhaps a
/// name on one line, and perhaps another mailbox for answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    mailbox: Mailbox,
    reply_to: Option<Mailbox>,
    id_domain: Option<String>,
}

/// Why a text is not a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SenderProblem {
    /// Neither an address nor a name with one.
    #[error("write the sender as 'Name <address>' or as a bare address")]
    Malformed,
    /// A name with control characters, or of more than 100 characters.
    #[error("the sender's name is one line of at most 100 characters")]
    Name,
    /// An address that would need SMTPUTF8 at every server on the way.
    #[error("the part of the sender's address before the @ is ASCII")]
    Local,
}

impl Sender {
    /// The mailbox for a message's `From`.
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The address for the envelope.
    pub fn address(&self) -> &Address {
        &self.mailbox.email
    }

    /// The domain, in ASCII form.
    pub fn domain(&self) -> &str {
        self.mailbox.email.domain()
    }

    /// The same sender, who wants answers at the mailbox of `other`.
    #[must_use]
    pub fn answered_at(self, other: Self) -> Self {
        Self {
            reply_to: Some(other.mailbox),
            ..self
        }
    }

    /// The same sender, whose mails have Message-IDs on `domain`: a mail that another provider
    /// repeats for another sender stays the same mail.
    #[must_use]
    pub fn identified_by(self, domain: &str) -> Self {
        Self {
            id_domain: Some(domain.to_owned()),
            ..self
        }
    }

    /// The domain of Message-IDs: its own, unless another one was set.
    pub fn id_domain(&self) -> &str {
        self.id_domain.as_deref().unwrap_or_else(|| self.domain())
    }

    /// The mailbox for a message's `Reply-To`, if there is one.
    pub fn reply_to(&self) -> Option<&Mailbox> {
        self.reply_to.as_ref()
    }
}

impl FromStr for Sender {
    type Err = SenderProblem;

    fn from_str(text: &str) -> Result<Self, SenderProblem> {
        if text.chars().any(char::is_control) {
            return Err(SenderProblem::Name);
        }
        let (name, address) = split(text.trim());
        if name.chars().count() > 100 {
            return Err(SenderProblem::Name);
        }
        let address: Address = address.parse().map_err(|_| SenderProblem::Malformed)?;
        if !address.user().is_ascii() {
            return Err(SenderProblem::Local);
        }
        let domain =
            idna::domain_to_ascii(address.domain()).map_err(|_| SenderProblem::Malformed)?;
        let address = Address::new(address.user(), domain).map_err(|_| SenderProblem::Malformed)?;
        Ok(Self {
            mailbox: Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address),
            reply_to: None,
            id_domain: None,
        })
    }
}

/// Name and address. Operators write names with commas and dots without the quotes that RFC 5322
/// asks for; the message gets them all the same.
fn split(text: &str) -> (&str, &str) {
    let parts = text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'));
    parts.map_or(("", text), |(name, address)| {
        (name.trim().trim_matches('"'), address)
    })
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mailbox.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_an_address_with_or_without_a_name() {
        let named: Sender = "Acme, Inc. <login@acme.example>".parse().unwrap();
        assert_eq!(
            (named.mailbox().name.as_deref(), named.domain()),
            (Some("Acme, Inc."), "acme.example")
        );
        let bare: Sender = "login@bücher.example".parse().unwrap();
        assert_eq!(
            (bare.mailbox().name.as_deref(), bare.domain()),
            (None, "xn--bcher-kva.example")
        );
    }

    #[test]
    fn a_sender_never_breaks_a_header() {
        for evil in [
            "Acme\r\nBcc: eve@example.com <a@b.example>",
            "a@b.example\0",
            "\n<a@b.example>",
        ] {
            assert_eq!(evil.parse::<Sender>(), Err(SenderProblem::Name), "{evil:?}");
        }
        for wrong in ["", "Acme", "a@b@c", "a b@c.example"] {
            assert_eq!(
                wrong.parse::<Sender>(),
                Err(SenderProblem::Malformed),
                "{wrong:?}"
            );
        }
        assert_eq!(
            "дарья@acme.example".parse::<Sender>(),
            Err(SenderProblem::Local)
        );
    }
}
