use std::fmt;

use super::{Language, MailKind, Timestamp};
use crate::error::Violation;

/// Which template of ours to replace: that of a kind of mail, for readers of one language, or
/// without a language for all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateKey {
    /// Which mail.
    pub kind: MailKind,
    /// For whom; none serves every reader for whom there is no closer one.
    pub language: Option<Language>,
}

impl TemplateKey {
    /// The key for every language.
    pub fn of(kind: MailKind) -> Self {
        Self {
            kind,
            language: None,
        }
    }

    /// The language as the store writes it; empty for all.
    pub fn tag(&self) -> String {
        self.language
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }
}

/// `signin_otp`, or `signin_otp (de)`.
impl fmt::Display for TemplateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        match &self.language {
            Some(language) => write!(f, " ({language})"),
            None => Ok(()),
        }
    }
}

/// The source of one template, as people write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateSource {
    /// The subject line.
    pub subject: String,
    /// MJML, which begins with `<mjml`, or HTML.
    pub html: String,
    /// The plain text.
    pub text: String,
}

impl TemplateSource {
    /// The longest body, in bytes (contract §11).
    pub const MAX_BODY: usize = 1 << 20;
    /// The longest source of a subject, in characters: a filled one has at most 255.
    pub const MAX_SUBJECT: usize = 1000;

    /// What is too long, or no text, to be kept at all.
    pub fn unkeepable(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        if self.subject.chars().count() > Self::MAX_SUBJECT {
            let told = "the subject is longer than 1000 characters";
            found.push(Violation::new("subject", "max_len:1000", told));
        }
        let parts = [
            ("subject", &self.subject),
            ("html", &self.html),
            ("text", &self.text),
        ];
        for (name, part) in parts {
            if part.len() > Self::MAX_BODY {
                let told = format!("the {name} is longer than 1 MiB");
                found.push(Violation::new(name, "max_bytes:1048576", told));
            }
            if part.contains('\0') {
                let told = format!("the {name} has a zero byte");
                found.push(Violation::new(name, "text", told));
            }
        }
        found
    }

    /// Bytes of all parts.
    pub fn bytes(&self) -> usize {
        self.subject.len() + self.html.len() + self.text.len()
    }
}

/// One version of a custom template. It never changes; it is in force or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateVersion {
    /// Of which template.
    pub key: TemplateKey,
    /// Its number among those of its key, from 1.
    pub number: u32,
    /// What it reads.
    pub source: TemplateSource,
    /// When it was saved.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What was done, such as `edited`; at most 200 characters.
    pub note: String,
}

/// A version without its source, for the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateEntry {
    /// Its number.
    pub number: u32,
    /// When it was saved.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What was done.
    pub note: String,
    /// How long it is, in bytes of all parts.
    pub bytes: u64,
}

/// What every node knows of a custom template without reading its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateHead {
    /// Which template.
    pub key: TemplateKey,
    /// The version in force; none when ours is.
    pub active: Option<u32>,
    /// What was in force before it, which a revert brings back.
    pub previous: Option<u32>,
    /// The version that was saved last.
    pub newest: u32,
    /// When it was last saved or put in force.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

impl TemplateHead {
    /// The newest version, when it waits to come into force: it is not, and was not before.
    pub fn draft(&self) -> Option<u32> {
        let newest = Some(self.newest);
        newest.filter(|_| self.active != newest && self.previous != newest)
    }
}
