use crate::error::Error;
use crate::model::{AddressKey, AuthRequest, CodeAlphabet, CodeShape, Email, EventKind, Timestamp};
use crate::ports::Change;
use crate::rules::issue::event_of;
use crate::settings::Settings;

/// What the local part of every test identity holds, so that none is an address by accident.
pub(crate) const MARK: &str = "+sktest";
/// How many there may be (contract §11).
pub(crate) const MOST: usize = 5;

/// Whether the settings list this address as a test identity.
///
/// Compared by the whole normal form: a listed `ada+sktest@gmail.com` says nothing about the other
/// spellings of that mailbox. The mark is asked for here too, so that not even settings that were
/// written past their rules make an ordinary address one.
pub fn is_test_identity(address: &Email, settings: &Settings) -> bool {
    settings
        .test_addresses
        .iter()
        .any(|listed| listed == address.normal())
        && is_marked(address)
}

/// Whether the local part holds the mark.
pub(crate) fn is_marked(address: &Email) -> bool {
    let domain = address.domain().len() + 1;
    address.normal()[..address.normal().len() - domain].contains(MARK)
}

/// The form of the static code.
pub(super) fn shape(settings: &Settings) -> CodeShape {
    CodeShape {
        length: u8::try_from(settings.test_code.len()).unwrap_or(u8::MAX),
        alphabet: CodeAlphabet::Numeric,
    }
}

/// Why a link cannot be sent to a test identity: there is no mail that would carry it.
pub(super) fn needs_code() -> Error {
    let told = "email is a test identity, which signs in by code only: passwordless_type is LINK";
    Error::invalid("email", "test_identity", told)
}

/// Marks what an act tells about a request of a test identity.
pub(super) fn mark(change: &mut Change, address: AddressKey, now: Timestamp) {
    let request: &AuthRequest = &change.request;
    if request.test {
        let marked = event_of(request, address, now, EventKind::TestIdentity);
        // First, so that what happened last is what the act was about.
        change.events.insert(0, marked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(addresses: &str) -> Settings {
        Settings::default()
            .with([("test_addresses", addresses)])
            .unwrap()
    }

    fn is(address: &str, settings: &Settings) -> bool {
        is_test_identity(&Email::parse(address).unwrap(), settings)
    }

    #[test]
    fn only_a_listed_address_is_a_test_identity_in_whatever_case() {
        let settings = listing("Review+sktest@Example.com");
        assert!(is("review+SKTEST@example.com", &settings));
        for other in [
            "review@example.com",
            "review+sktest@example.org",
            "review+sktest1@example.com",
            "other+sktest@example.com",
        ] {
            assert!(!is(other, &settings), "{other}");
        }
        assert!(!is("review+sktest@example.com", &Settings::default()));
    }

    #[test]
    fn another_spelling_of_a_listed_mailbox_is_no_test_identity() {
        let settings = listing("a.da+sktest@gmail.com");
        assert!(!is("ada+sktest@gmail.com", &settings));
        assert!(!is("ada@gmail.com", &settings));
    }

    #[test]
    fn an_address_without_the_mark_is_none_even_when_the_settings_list_it() {
        let settings = Settings {
            test_addresses: vec!["ada@example.com".to_owned()],
            ..Settings::default()
        };
        assert!(!is("ada@example.com", &settings));
    }

    #[test]
    fn the_mark_counts_in_the_local_part_only() {
        let settings = Settings {
            test_addresses: vec!["ada@xn--sktest-.example".to_owned()],
            ..Settings::default()
        };
        assert!(!is("ada@sktest.example", &settings));
    }
}
