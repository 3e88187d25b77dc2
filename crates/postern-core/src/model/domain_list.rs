use std::borrow::Cow;
use std::fmt;

use super::email::domain_name;

/// The list that this release ships; its head says source, date and licence.
const BUNDLED: &str = include_str!("../../data/disposable_domains.txt");

/// Domain names in ASCII and lower case, sorted, in one piece of text: nothing is built at start and
/// the shipped list lies in the program itself, of which only the pages that are looked at are read.
#[derive(Clone, PartialEq, Eq)]
pub struct DomainList(Cow<'static, str>);

/// A line of a list that is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainListProblem {
    /// More than [`DomainList::MAX_BYTES`].
    #[error("it is larger than 32 MiB")]
    TooLarge,
    /// The line with this number, from 1.
    #[error("line {0} is not a domain name: write one a line, such as example.com")]
    Line(usize),
}

impl DomainList {
    /// The largest text that is read.
    pub const MAX_BYTES: usize = 32 * 1024 * 1024;

    /// The disposable domains that this release ships.
    pub fn bundled() -> Self {
        let head: usize = BUNDLED
            .split_inclusive('\n')
            .take_while(|line| line.starts_with('#'))
            .map(str::len)
            .sum();
        Self(Cow::Borrowed(&BUNDLED[head..]))
    }

    /// Reads a list: one domain a line in any spelling; empty lines and what follows a `#` are passed
    /// over.
    ///
    /// # Errors
    /// The first line that is no domain name, or a text beyond the bound.
    pub fn parse(text: &str) -> Result<Self, DomainListProblem> {
        if text.len() > Self::MAX_BYTES {
            return Err(DomainListProblem::TooLarge);
        }
        let mut names = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let written = line.split('#').next().unwrap_or_default().trim();
            if !written.is_empty() {
                names.push(domain_name(written).ok_or(DomainListProblem::Line(number))?);
            }
        }
        names.sort_unstable();
        names.dedup();
        let mut sorted = String::with_capacity(names.iter().map(|name| name.len() + 1).sum());
        for name in &names {
            sorted.push_str(name);
            sorted.push('\n');
        }
        Ok(Self(sorted.into()))
    }

    /// Whether the domain, in ASCII and lower case, or one above it is on the list.
    pub fn covers(&self, domain: &str) -> bool {
        with_parents(domain).any(|name| self.holds(name))
    }

    /// How many domains are on it.
    pub fn len(&self) -> usize {
        self.0.bytes().filter(|byte| *byte == b'\n').count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A binary search over the bytes, from line to line.
    fn holds(&self, name: &str) -> bool {
        let text: &str = &self.0;
        let (mut low, mut high) = (0, text.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let begin = text.as_bytes()[low..middle]
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(low, |at| low + at + 1);
            let line = text[begin..].split('\n').next().unwrap_or_default();
            match line.cmp(name) {
                std::cmp::Ordering::Equal => return true,
                std::cmp::Ordering::Less => low = begin + line.len() + 1,
                std::cmp::Ordering::Greater => high = begin,
            }
        }
        false
    }
}

impl fmt::Debug for DomainList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DomainList({} bytes)", self.0.len())
    }
}

/// A domain and every domain above it.
pub(crate) fn with_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |name| name.split_once('.').map(|(_, up)| up))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_shipped_list_is_what_reading_it_anew_would_give() {
        let list = DomainList::bundled();
        assert_eq!(DomainList::parse(BUNDLED).unwrap(), list);
        assert!(list.len() > 10_000);
        assert!(list.covers("mailinator.com"));
        assert!(!list.covers("gmail.com"));
    }

    #[test]
    fn every_line_of_the_shipped_list_is_found() {
        let list = DomainList::bundled();
        assert!(list.0.lines().all(|name| list.holds(name)));
    }

    #[test]
    fn a_domain_below_a_listed_one_is_covered_and_one_beside_it_is_not() {
        let list = DomainList::parse("trash.example\n").unwrap();
        assert!(list.covers("trash.example"));
        assert!(list.covers("a.b.trash.example"));
        for other in ["nottrash.example", "example", "trash.example.org"] {
            assert!(!list.covers(other), "{other}");
        }
    }

    #[test]
    fn a_list_is_read_in_any_order_and_spelling() {
        let list =
            DomainList::parse("# mine\n\nZ.example # why\r\nBÜCHER.example\na.example\na.example");
        let list = list.unwrap();
        assert_eq!(list.len(), 3);
        assert!(list.covers("xn--bcher-kva.example"));
        assert_eq!(
            DomainList::parse("a.example\nno domain"),
            Err(DomainListProblem::Line(2))
        );
        assert!(DomainList::parse("").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn a_search_finds_what_is_there_and_nothing_else(
            names in proptest::collection::btree_set("[a-c]{1,3}", 0..12),
            asked in "[a-c]{1,3}",
        ) {
            let text = names.iter().fold(String::new(), |text, name| text + name + "\n");
            prop_assert_eq!(DomainList::parse(&text).unwrap().holds(&asked), names.contains(&asked));
        }
    }
}
