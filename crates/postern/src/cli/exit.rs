//! How a command ends.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;

/// What kind of failure the process reports to its parent; documented under `postern --help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Refused or failed.
    Failed = 1,
    /// The command line made no sense.
    Usage = 2,
    /// The data directory is another process's.
    InUse = 3,
    /// The configuration is refused.
    Config = 4,
    /// The address cannot be listened on.
    Listen = 5,
    /// `doctor` found something that does not work.
    Unwell = 6,
}

/// Why a command failed: one line for the person, one code for the parent.
#[derive(Debug)]
pub struct Failure {
    /// The kind.
    pub code: Code,
    /// What to tell.
    pub message: String,
}

impl Failure {
    /// A failure with this message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// A refused or failed command.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Code::Failed, message.to_string())
    }

    /// Tells the failure on standard error, as JSON when asked, and gives the exit code.
    pub fn tell(&self, json: bool) -> ExitCode {
        if json {
            eprintln!(
                "{}",
                serde_json::json!({ "error": { "code": self.code.name(), "message": self.message } })
            );
        } else {
            eprintln!("postern: {}", self.message);
        }
        ExitCode::from(self.code as u8)
    }
}

impl Code {
    fn name(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            Self::Usage => "USAGE",
            Self::InUse => "DATA_DIRECTORY_IN_USE",
            Self::Config => "CONFIGURATION_REFUSED",
            Self::Listen => "CANNOT_LISTEN",
            Self::Unwell => "UNWELL",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Code::Config, error.to_string())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format_args!("{error:#}"))
    }
}
