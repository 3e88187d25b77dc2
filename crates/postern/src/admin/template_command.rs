use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an admin may ask of mail templates.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateCommand {
    /// Show every kind, and what is in force of it.
    List,
    /// Show a source.
    Show {
        /// Which template.
        template: TemplateName,
        /// Which of its versions.
        version: WantedVersion,
    },
    /// Show the versions of a template.
    History {
        /// Which template.
        template: TemplateName,
    },
    /// Say what is wrong with a version.
    Lint {
        /// Which template.
        template: TemplateName,
        /// Which of its versions.
        version: WantedVersion,
    },
    /// Save a version.
    Save(Box<NewTemplate>),
    /// Put a version in force.
    Use {
        /// Which template.
        template: TemplateName,
        /// The version; none is the built-in template.
        version: Option<u32>,
    },
    /// Put in force what was before.
    Revert {
        /// Which template.
        template: TemplateName,
    },
    /// Fill a template with samples.
    Preview(Box<WantedPreview>),
}

/// Which template.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TemplateName {
    /// `signin_otp`, …
    pub kind: String,
    /// For readers of this language; none is for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Which version of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WantedVersion {
    /// The one in force; the built-in one where there is none.
    InForce,
    /// The draft that waits to come into force; where there is none, as [`Self::InForce`].
    Draft,
    /// The one that was saved last, in force or not.
    Newest,
    /// The built-in one.
    BuiltIn,
    /// The one of this number.
    Number(u32),
}

/// A template's three parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateText {
    /// The subject line.
    pub subject: String,
    /// MJML or HTML.
    pub html: String,
    /// Plain text.
    pub text: String,
}

/// A version to save.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewTemplate {
    /// Which template.
    pub template: TemplateName,
    /// The subject line.
    pub subject: Option<String>,
    /// MJML or HTML.
    pub html: Option<String>,
    /// Plain text.
    pub text: Option<String>,
    /// Where the parts come from that are not given.
    pub rest: WantedVersion,
    /// The newest version that was seen, 0 when there was none; a save on top of another is refused.
    pub seen: Option<u32>,
    /// What was done, for the history.
    pub note: String,
    /// Whether it comes into force, unless it has errors.
    pub activate: bool,
}

/// A preview to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WantedPreview {
    /// Which template; the language is that of the reader.
    pub template: TemplateName,
    /// Which of its versions.
    pub version: WantedVersion,
    /// What the caller would supply.
    pub variables: BTreeMap<String, String>,
    /// Whether it goes into the development inbox.
    pub to_inbox: bool,
}
