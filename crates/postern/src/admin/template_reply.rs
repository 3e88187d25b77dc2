use serde::{Deserialize, Serialize};

use super::template_command::TemplateText;
use crate::mail::Finding;

/// What is in force of a kind and language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRow {
    /// `signin_otp`, …
    pub template: String,
    /// Its readers' language; absent for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Its version in force; absent while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The language whose template its readers get while it has none in force, `all` for that of all
    /// languages; absent while that is the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_language: Option<String>,
    /// The newest version, when it waits to come into force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<u32>,
    /// When it was last saved or put in force, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateShown {
    /// Which version; absent for the built-in template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Whose version it is, such as `signin_otp (de)`: where a template has none of its own, it is what
    /// its readers get instead. Absent for the built-in template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The newest version there is of the template that was asked for, 0 for none.
    pub newest: u32,
    /// The three parts.
    #[serde(flatten)]
    pub source: TemplateText,
}

impl TemplateShown {
    /// Which one it is: `version 2 of signin_otp`, or `the built-in template`.
    pub fn called(&self) -> String {
        match (self.version, &self.of) {
            (Some(number), Some(of)) => format!("version {number} of {of}"),
            _ => "the built-in template".to_owned(),
        }
    }
}

/// A version in a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateVersionRow {
    /// Its number.
    pub version: u32,
    /// `in force`, `before` (what a revert brings back), `draft` (newer
    /// than these two), or `earlier`.
    pub state: String,
    /// When it was saved, RFC 3339.
    pub saved_at: String,
    /// By whom.
    pub saved_by: String,
    /// What was done.
    pub note: String,
    /// Bytes of all parts.
    pub bytes: u64,
}

/// One thing that lint found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingRow {
    /// `error` or `warning`.
    pub severity: String,
    /// `subject`, `text` or `html`.
    pub part: String,
    /// On which line, from 1, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The rule's name.
    pub rule: String,
    /// What it is and how to mend it.
    pub message: String,
}

impl From<&Finding> for FindingRow {
    fn from(finding: &Finding) -> Self {
        Self {
            severity: finding.severity.as_str().to_owned(),
            part: finding.part.as_str().to_owned(),
            line: finding.line,
            rule: finding.rule.to_owned(),
            message: finding.message.clone(),
        }
    }
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateSaved {
    /// The version.
    pub version: u32,
    /// Whether it is in force.
    pub active: bool,
    /// What lint says of it.
    pub findings: Vec<FindingRow>,
    /// The parts that were not given, when there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<TemplateRest>,
}

/// The parts of a saved version that were not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRest {
    /// `subject`, `html`, `text`.
    pub parts: Vec<String>,
    /// Whose they are, such as `version 2 of signin_otp` or `the built-in template`.
    pub of: String,
    /// A draft that they were not taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed_over: Option<u32>,
}
