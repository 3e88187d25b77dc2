//! Structured logs on standard error: readable on a terminal, JSON otherwise.
//!
//! What is logged: ids, durations, codes of errors. Never: addresses, passcodes, tokens, secrets,
//! bodies. Libraries that would print bytes of the wire at `debug` are held at `info`, whatever
//! filter the operator writes.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::{LevelFilter, ParseError, Targets};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    /// A directive that the library would take for the name of a target, and so log nothing else.
    pub fn misspelt(&self) -> Option<&str> {
        let parts = self.filter.split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).find(|part| {
            let level = part.rsplit_once('=').map_or(*part, |(_, level)| level);
            level.is_empty() || level.parse::<LevelFilter>().is_err()
        })
    }

    /// The filter of this configuration, with chatty libraries capped.
    ///
    /// # Errors
    /// The directives do not parse.
    pub fn filter(&self) -> Result<Targets, ParseError> {
        let asked: Targets = self.filter.parse()?;
        let default = asked.default_level().unwrap_or(LevelFilter::OFF);
        let capped = |(target, level): (String, LevelFilter)| {
            let level = if is_chatty(&target) {
                level.min(LevelFilter::INFO)
            } else {
                level
            };
            (target, level)
        };
        let caps = NEVER_FINER_THAN_INFO.map(|library| (library, default.min(LevelFilter::INFO)));
        Ok(Targets::new()
            .with_default(default)
            .with_targets(caps)
            .with_targets(asked.into_iter().map(capped)))
    }
}

/// Whether a target is a capped library or a module within it.
fn is_chatty(target: &str) -> bool {
    let library = target.split("::").next().unwrap_or_default();
    NEVER_FINER_THAN_INFO.contains(&library)
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
    let registry = tracing_subscriber::registry().with(config.filter()?);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // A logger that is there already stays: only tests start two servers in one process.
    let _installed_before = if pretty {
        registry.with(lines.with_target(false)).try_init()
    } else {
        let json = lines.json().flatten_event(true);
        let json = json.with_current_span(true).with_span_list(false);
        registry.with(json).try_init()
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    fn with(filter: &str) -> LogConfig {
        LogConfig {
            format: LogFormat::Auto,
            filter: filter.into(),
        }
    }

    fn level(filter: &str, target: &str) -> Option<Level> {
        let filter = with(filter).filter().expect("these directives parse");
        let levels = [
            Level::TRACE,
            Level::DEBUG,
            Level::INFO,
            Level::WARN,
            Level::ERROR,
        ];
        levels
            .into_iter()
            .find(|level| filter.would_enable(target, level))
    }

    #[test]
    fn a_library_that_prints_headers_stays_at_info_even_when_everything_is_traced() {
        let everything = "trace,h2=trace,h2::codec=trace";
        assert_eq!(level(everything, "postern::calls"), Some(Level::TRACE));
        assert_eq!(level(everything, "h2"), Some(Level::INFO));
        assert_eq!(level(everything, "h2::codec"), Some(Level::INFO));
        assert_eq!(
            level("warn,postern=debug", "postern::calls"),
            Some(Level::DEBUG)
        );
    }

    #[test]
    fn a_cap_never_makes_a_library_speak_more_than_was_asked() {
        assert_eq!(level("error", "hyper::proto"), Some(Level::ERROR));
        assert_eq!(level("debug,rustls=warn", "rustls"), Some(Level::WARN));
        assert_eq!(level("postern=debug", "tonic"), None);
    }

    #[test]
    fn a_misspelt_level_is_found_before_it_silences_everything() {
        for (filter, typo) in [
            ("inof", Some("inof")),
            ("info,blah=", Some("blah=")),
            ("warn, postern=debgu", Some("postern=debgu")),
            ("warn,postern=debug", None),
            ("INFO", None),
        ] {
            assert_eq!(with(filter).misspelt(), typo, "{filter}");
        }
    }

    #[test]
    fn a_filter_that_does_not_parse_is_an_error() {
        assert!(with("postern=loud").filter().is_err());
    }
}
