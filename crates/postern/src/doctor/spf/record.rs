//! An SPF record as it is written (RFC 7208 §4.6 and §12).

use std::net::{Ipv4Addr, Ipv6Addr};

/// What a record says, as far as it costs or grants something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// The domains whose records count as well, in their order.
    pub(super) includes: Vec<String>,
    /// The domain whose record counts instead, when nothing here decides.
    pub(super) redirect: Option<String>,
    /// How many terms make whoever evaluates the record ask DNS, includes and redirect among them.
    pub(super) lookups: usize,
    /// What is said of everybody else, such as `~all`.
    pub(super) all: Option<String>,
}

/// Whether a text is an SPF record at all (§4.5).
pub(super) fn is_spf(text: &str) -> bool {
    let version = text.split(' ').next().unwrap_or_default();
    version.eq_ignore_ascii_case("v=spf1")
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// The first term that is none, as a sentence.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut record = Self::default();
        let mut modifiers: Vec<String> = Vec::new();
        for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
            match modifier(term) {
                Some((name, value)) => {
                    if ["redirect", "exp"].contains(&name.as_str()) {
                        if value.is_empty() || modifiers.contains(&name) {
                            return Err(wrong(term));
                        }
                        if name == "redirect" {
                            record.redirect = Some(value.to_ascii_lowercase());
                        }
                        modifiers.push(name);
                    }
                }
                None => record.mechanism(term).ok_or_else(|| wrong(term))?,
            }
        }
        if record.all.is_some() {
            // §6.1: a redirect beside `all` is never reached.
            record.redirect = None;
        }
        record.lookups += usize::from(record.redirect.is_some());
        Ok(record)
    }

    fn mechanism(&mut self, term: &str) -> Option<()> {
        let bare = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
        let end = bare.find([':', '/']).unwrap_or(bare.len());
        let (name, rest) = bare.split_at(end);
        match name.to_ascii_lowercase().as_str() {
            "all" if rest.is_empty() => self.all = Some(term.to_ascii_lowercase()),
            "include" => {
                self.includes.push(domain(rest)?.to_ascii_lowercase());
                self.lookups += 1;
            }
            "exists" => {
                domain(rest)?;
                self.lookups += 1;
            }
            "ptr" if rest.is_empty() || domain(rest).is_some() => self.lookups += 1,
            "a" | "mx" => {
                let (host, lengths) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                if !(host.is_empty() || domain(host).is_some()) || !are_lengths(lengths) {
                    return None;
                }
                self.lookups += 1;
            }
            "ip4" => network::<Ipv4Addr>(rest, 32)?,
            "ip6" => network::<Ipv6Addr>(rest, 128)?,
            _ => return None,
        }
        Some(())
    }
}

fn wrong(term: &str) -> String {
    let short: String = term.chars().take(60).collect();
    format!("{short:?} is no SPF term")
}

/// `name=value`, where the name is a modifier's.
fn modifier(term: &str) -> Option<(String, &str)> {
    let (name, value) = term.split_once('=')?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fits);
    is_name.then(|| (name.to_ascii_lowercase(), value))
}

/// What follows a colon, when it can be a domain; macros are left as they are.
fn domain(rest: &str) -> Option<&str> {
    let name = rest.strip_prefix(':')?;
    let fits = |c: char| c.is_ascii_graphic();
    let named = !name.is_empty() && name.len() <= 253 && name.chars().all(fits);
    (named && (name.contains('.') || name.contains('%'))).then_some(name)
}

/// Nothing, or `/24`, `//64`, `/24//64` (§5.6).
fn are_lengths(text: &str) -> bool {
    let within = |text: &str, most: u8| text.parse::<u8>().is_ok_and(|length| length <= most);
    let Some(rest) = text.strip_prefix('/') else {
        return text.is_empty();
    };
    match (rest.strip_prefix('/'), rest.split_once("//")) {
        (Some(six), _) => within(six, 128),
        (None, Some((four, six))) => within(four, 32) && within(six, 128),
        (None, None) => within(rest, 32),
    }
}

fn network<A: std::str::FromStr>(rest: &str, most: u8) -> Option<()> {
    let text = rest.strip_prefix(':')?;
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()?),
        None => (text, most),
    };
    (address.parse::<A>().is_ok() && length <= most).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_with_what_it_costs() {
        let text = "v=spf1 a mx:mail.example.com/28//64 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:_SPF.Example.net \
                    exists:%{i}.ok.example ptr ~all";
        let record = Record::read(text).unwrap();
        assert_eq!(record.includes, ["_spf.example.net"]);
        assert_eq!((record.lookups, record.all.as_deref()), (5, Some("~all")));
    }

    #[test]
    fn a_redirect_costs_a_lookup_unless_all_stands_before_it() {
        let record = Record::read("v=spf1 redirect=_spf.example.net").unwrap();
        assert_eq!(
            (record.lookups, record.redirect.as_deref()),
            (1, Some("_spf.example.net"))
        );
        let never = Record::read("v=spf1 -all redirect=_spf.example.net unknown=thing").unwrap();
        assert_eq!((never.lookups, never.redirect), (0, None));
    }

    #[test]
    fn what_is_no_term_is_told() {
        for wrong in [
            "ip4:192.0.2.300",
            "ip4:192.0.2.0/33",
            "ip6:192.0.2.1",
            "include",
            "include:",
            "include:localhost",
            "a/33",
            "all:example.com",
            "spf2.0/pra",
            "redirect=a.example redirect=b.example",
            "exp=",
            "amazonses.com",
        ] {
            assert!(
                Record::read(&format!("v=spf1 {wrong} -all")).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_text_is_a_record_by_its_first_word() {
        assert!(is_spf("v=spf1") && is_spf("V=SPF1 -all"));
        assert!(!is_spf("v=spf10 -all") && !is_spf("google-site-verification=1"));
    }
}
