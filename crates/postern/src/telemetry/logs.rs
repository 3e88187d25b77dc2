//! Structured logs on standard error: readable on a terminal, JSON otherwise.
//!
//! What is logged: ids, durations, codes of errors. Never: addresses, passcodes, tokens, secrets,
//! bodies. Libraries that would print bytes of the wire at `debug` are held at `info`, whatever
//! filter the operator writes.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Libraries whose finer levels print header values or bytes of a conversation.
const NEVER_FINER_THAN_INFO: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "lettre",
    "rustls",
    "tokio_rustls",
    "tonic",
    "tower",
    "axum",
];

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Pretty` when standard error is a terminal, else `Json`.
    Auto,
    /// One readable line an event.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// `tracing` directives, such as `info` or `warn,postern=debug`.
    pub filter: String,
}

impl LogConfig {
    /// The filter of this configuration, with chatty libraries capped.
    ///
    /// # Errors
    /// The directives do not parse.
    pub fn filter(&self) -> Result<EnvFilter, ParseError> {
        let asked: Vec<_> = self
            .filter
            .split(',')
            .filter(|one| !is_capped(one))
            .collect();
        let mut filter = EnvFilter::builder().parse(asked.join(","))?;
        for library in NEVER_FINER_THAN_INFO {
            filter = filter.add_directive(format!("{library}=info").parse()?);
        }
        Ok(filter)
    }
}

/// Whether a directive speaks of a capped library or of a module within it.
fn is_capped(directive: &str) -> bool {
    let target = directive
        .trim()
        .split(['=', '[', ':'])
        .next()
        .unwrap_or_default();
    NEVER_FINER_THAN_INFO.contains(&target)
}

/// Installs the process's logger; a second call changes nothing.
///
/// # Errors
/// The filter's directives do not parse.
pub fn init(config: &LogConfig) -> Result<(), ParseError> {
    let pretty = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(config.filter()?)
        .with_writer(std::io::stderr);
    // A logger that is there already stays: only tests start two servers in one process.
    let _installed_before = if pretty {
        builder.with_target(false).try_init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .try_init()
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(filter: &str) -> LogConfig {
        LogConfig {
            format: LogFormat::Auto,
            filter: filter.into(),
        }
    }

    #[test]
    fn a_library_that_prints_headers_stays_at_info_even_when_everything_is_traced() {
        let filter = with("trace,h2=trace,h2::codec=trace")
            .filter()
            .expect("these directives parse")
            .to_string();
        assert!(filter.contains("h2=info"), "{filter}");
        assert!(!filter.contains("codec"), "{filter}");
    }

    #[test]
    fn a_filter_that_does_not_parse_is_an_error() {
        assert!(with("postern=loud").filter().is_err());
    }
}
