use std::fmt;
use std::path::PathBuf;

/// Why a configuration cannot be used. `Display` says what to write instead.
#[derive(Debug)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML.
    NotToml {
        /// The file.
        file: PathBuf,
        /// Where, if the parser knows it.
        line: Option<usize>,
        /// What, as the parser tells it: without the text itself, which may hold a password.
        message: String,
    },
    /// Keys or values that are not accepted; every one is named, in the order in which they were met.
    Refused(Vec<String>),
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::NotToml { .. } | Self::Refused(_) => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { file, source } => {
                write!(f, "cannot read {}: {source}", file.display())
            }
            Self::NotToml {
                file,
                line,
                message,
            } => {
                let file = file.display();
                let place = line.map_or(String::new(), |line| format!(":{line}"));
                let message = message.trim_end().replace('\n', ", ");
                write!(f, "{file}{place} is not valid TOML: {message}")
            }
            Self::Refused(problems) => match problems.as_slice() {
                [only] => f.write_str(only),
                many => {
                    f.write_str("the configuration is refused:")?;
                    many.iter()
                        .try_for_each(|problem| write!(f, "\n  - {problem}"))
                }
            },
        }
    }
}
