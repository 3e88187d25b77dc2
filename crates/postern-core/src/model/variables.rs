use std::collections::BTreeMap;
use std::fmt;

use url::Url;

use crate::error::Violation;

/// Variable names that Postern fills itself; a caller who sends one is refused (contract §11).
pub const RESERVED_VARIABLES: [&str; 5] = [
    "otp",
    "link",
    "expiry_time",
    "expire_time",
    "expiry_time_relative",
];

/// The caller's template variables: at most 30 pairs, names of 2 to 25 characters, values of at
/// most 256, none of them reserved, none with control characters.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The most that one send carries.
    pub const MAX_PAIRS: usize = 30;

    /// Reads the pairs, naming every one that breaks a rule.
    ///
    /// # Errors
    /// One violation for each broken rule.
    pub fn parse(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<Violation>> {
        let pairs: BTreeMap<_, _> = pairs.into_iter().collect();
        let mut violations: Vec<_> = pairs
            .iter()
            .flat_map(|(name, value)| problems(name, value))
            .collect();
        if pairs.len() > Self::MAX_PAIRS {
            violations = vec![Violation::new(
                "template_variables",
                "max_pairs:30",
                "template_variables has more than 30 entries",
            )];
        }
        if violations.is_empty() {
            Ok(Self(pairs))
        } else {
            Err(violations)
        }
    }

    /// Takes variables out of the store, where only parsed ones were put.
    pub fn restore(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All pairs, by name.
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}

fn problems(name: &str, value: &str) -> Vec<Violation> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(25).collect();
    let field = format!("template_variables.{shown}");
    let mut found = Vec::new();
    let mut broken = |constraint, problem: &str| {
        found.push(Violation::new(
            field.clone(),
            constraint,
            format!("template variable {shown:?} {problem}"),
        ));
    };
    if RESERVED_VARIABLES.contains(&name) {
        broken("reserved", "is reserved");
    }
    if !(2..=25).contains(&name.chars().count()) {
        broken(
            "key_len:2..25",
            "has a name that is not 2 to 25 characters long",
        );
    }
    if value.chars().count() > 256 {
        broken("max_len:256", "has a value longer than 256 characters");
    }
    if !is_mailable(name) || !is_mailable(value) {
        let told =
            "has control characters, line separators, text direction overrides or an encoded word";
        broken("plain_text", told);
    }
    if name == "app_logo_url" && !value.is_empty() && !is_https(value) {
        broken("https", "must be an https address");
    }
    found
}

/// Whether `text` may stand in a mail's header and body: on one line, in one direction, and read by
/// nobody as an encoded word (RFC 2047).
pub(crate) fn is_mailable(text: &str) -> bool {
    let misleads =
        |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(misleads) && !text.contains("=?")
}

/// Whether `text` is an absolute https URL without user information.
pub(crate) fn is_https(text: &str) -> bool {
    Url::parse(text)
        .is_ok_and(|url| url.scheme() == "https" && url.has_host() && url.username().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Variables, Vec<Violation>> {
        Variables::parse(
            pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
        )
    }

    #[test]
    fn every_offending_pair_is_named() {
        let found = parse(&[("otp", "1"), ("x", "1"), ("fine", "")]).unwrap_err();
        let fields: Vec<_> = found
            .iter()
            .map(|v| (v.field.as_str(), v.constraint))
            .collect();
        assert_eq!(
            fields,
            [
                ("template_variables.otp", "reserved"),
                ("template_variables.x", "key_len:2..25")
            ]
        );
    }

    #[test]
    fn lengths_are_counted_in_characters_and_have_exact_edges() {
        assert!(parse(&[(&"é".repeat(25), &"é".repeat(256))]).is_ok());
        assert!(parse(&[(&"é".repeat(26), "")]).is_err());
        assert!(parse(&[("name", &"é".repeat(257))]).is_err());
    }

    #[test]
    fn thirty_pairs_are_accepted_and_thirty_one_are_not() {
        let pairs = |n: usize| (0..n).map(|i| (format!("name{i}"), String::new()));
        assert!(Variables::parse(pairs(30)).is_ok());
        assert_eq!(
            Variables::parse(pairs(31)).unwrap_err()[0].constraint,
            "max_pairs:30"
        );
    }

    #[test]
    fn line_breaks_cannot_reach_a_header() {
        assert!(parse(&[("name", "a\r\nBcc: x")]).is_err());
    }

    #[test]
    fn what_a_header_or_a_reader_would_take_for_something_else_is_refused() {
        for bad in ["=?utf-8?q?=0d=0aBcc:x@y.z?=", "a\u{2028}b", "\u{202e}evil"] {
            assert!(parse(&[("name", bad)]).is_err(), "{bad:?}");
        }
        assert!(parse(&[("name", "می\u{200c}خواهم 👩\u{200d}💻 = ?")]).is_ok());
    }

    #[test]
    fn a_logo_is_https_or_nothing() {
        assert!(parse(&[("app_logo_url", "javascript:alert(1)")]).is_err());
        assert!(parse(&[("app_logo_url", "https://a.example/l.png")]).is_ok());
    }
}
