use serde::{Deserialize, Serialize};

use crate::model::{AddressKey, DomainList, Email, EventKind, Timestamp, with_parents};
use crate::ports::Change;
use crate::rules::issue::event_of;
use crate::settings::Settings;

/// Which rule of the settings speaks against an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainRule {
    /// There is an allow list, and the domain is not on it.
    NotAllowed,
    /// The domain, or one above it, is on the deny list.
    Blocked,
    /// The domain, or one above it, is known for disposable mailboxes.
    Disposable,
}

impl DomainRule {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::NotAllowed, Self::Blocked, Self::Disposable];

    /// The rule's name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "not_allowed",
            Self::Blocked => "blocked",
            Self::Disposable => "disposable",
        }
    }
}

/// Which rule speaks against the address, if any, whatever `domain_rules` makes of it.
///
/// Judged on the domain in ASCII, so that every spelling of an international name is the same. The
/// deny list comes first and covers what lies below its entries; an entry of the allow list means
/// that one domain, unless it begins with `*.`. A domain that is allowed by name is never taken for
/// a disposable one.
pub fn domain_rule(
    address: &Email,
    settings: &Settings,
    disposable: &DomainList,
) -> Option<DomainRule> {
    let domain = address.domain();
    if !settings.blocked_domains.is_empty() && is_blocked(domain, &settings.blocked_domains) {
        return Some(DomainRule::Blocked);
    }
    if !settings.allowed_domains.is_empty() {
        let allowed = is_allowed(domain, &settings.allowed_domains);
        return (!allowed).then_some(DomainRule::NotAllowed);
    }
    let covered = settings.block_disposable_domains && disposable.covers(domain);
    covered.then_some(DomainRule::Disposable)
}

/// Notes on an accepted call which rule would have refused it.
pub(crate) fn flag(
    change: &mut Change,
    rule: Option<DomainRule>,
    address: AddressKey,
    now: Timestamp,
) {
    if let Some(rule) = rule {
        let flagged = EventKind::DomainFlagged { rule };
        let told = event_of(&change.request, address, now, flagged);
        change.events.insert(0, told);
    }
}

fn is_allowed(domain: &str, list: &[String]) -> bool {
    holds(list, domain) || with_parents(domain).skip(1).any(|up| holds_below(list, up))
}

fn is_blocked(domain: &str, list: &[String]) -> bool {
    with_parents(domain).any(|name| holds(list, name))
        || with_parents(domain).skip(1).any(|up| holds_below(list, up))
}

fn holds(list: &[String], name: &str) -> bool {
    list.iter().any(|entry| entry == name)
}

/// Whether the list has `*.name`.
fn holds_below(list: &[String], name: &str) -> bool {
    list.iter()
        .any(|entry| entry.strip_prefix("*.") == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(settings: &[(&str, &str)], address: &str) -> Option<DomainRule> {
        let settings = Settings::default().with(settings.iter().copied()).unwrap();
        let list = DomainList::parse("trash.example").unwrap();
        domain_rule(&Email::parse(address).unwrap(), &settings, &list)
    }

    #[test]
    fn without_rules_every_domain_is_fine() {
        assert_eq!(rule(&[], "ada@trash.example"), None);
    }

    #[test]
    fn an_allow_list_means_its_domains_and_below_them_only_with_a_star() {
        let only = [("allowed_domains", "acme.example, *.corp.example")];
        for fine in [
            "ada@acme.example",
            "ada@ACME.example",
            "ada@eu.corp.example",
        ] {
            assert_eq!(rule(&only, fine), None, "{fine}");
        }
        for other in [
            "ada@eu.acme.example",
            "ada@corp.example",
            "ada@notacme.example",
            "ada@acme.example.org",
        ] {
            assert_eq!(rule(&only, other), Some(DomainRule::NotAllowed), "{other}");
        }
    }

    #[test]
    fn a_deny_list_covers_what_lies_below_its_domains() {
        let but = [("blocked_domains", "rival.example,*.hosting.example,zip")];
        for bad in [
            "ada@rival.example",
            "ada@mail.rival.example",
            "ada@x.hosting.example",
            "ada@a.zip",
        ] {
            assert_eq!(rule(&but, bad), Some(DomainRule::Blocked), "{bad}");
        }
        for fine in ["ada@hosting.example", "ada@notrival.example"] {
            assert_eq!(rule(&but, fine), None, "{fine}");
        }
    }

    #[test]
    fn the_deny_list_wins_over_the_allow_list_and_that_over_the_disposable_one() {
        let all = [
            ("allowed_domains", "*.acme.example,trash.example"),
            ("blocked_domains", "guests.acme.example"),
            ("block_disposable_domains", "true"),
        ];
        assert_eq!(
            rule(&all, "ada@guests.acme.example"),
            Some(DomainRule::Blocked)
        );
        assert_eq!(rule(&all, "ada@trash.example"), None);
        assert_eq!(rule(&all, "ada@eu.acme.example"), None);
        assert_eq!(
            rule(&all[2..], "ada@a.trash.example"),
            Some(DomainRule::Disposable)
        );
    }

    #[test]
    fn international_names_are_the_same_in_every_spelling() {
        for entry in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"] {
            for address in [
                "ada@bücher.example",
                "ada@XN--BCHER-KVA.example",
                "ada@BU\u{308}CHER.example",
            ] {
                let found = rule(&[("blocked_domains", entry)], address);
                assert_eq!(found, Some(DomainRule::Blocked), "{entry} {address}");
            }
        }
    }
}
