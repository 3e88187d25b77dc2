use url::form_urlencoded;

use super::{AddressKey, Email, Timestamp};

/// One action of an admin. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: an admin's address, or the part of Postern that did it by itself or for an operator.
    pub actor: String,
    /// What, such as `setting.put`.
    pub action: String,
    /// On what, such as a setting's name.
    pub target: String,
    /// What it was; empty when it was not there.
    pub before: String,
    /// What it is now; empty when it is gone.
    pub after: String,
}

/// What stands in the audit where an address stood.
const FORGOTTEN: &str = "(forgotten)";

impl AuditEntry {
    /// The most characters of each text of what an admin did besides changing the registry.
    pub const MOST_NOTED: usize = 1000;

    /// The entry without an address that is to be forgotten; nothing where it does not name it.
    /// Admins stay, as who acted and as who was let in: that is what an audit is for.
    pub fn without(&self, address: AddressKey) -> Option<Self> {
        let hide = match self.action.as_str() {
            "log.export" => hide_in_query,
            "suppression.put" | "suppression.drop" | "provider.test" | "quickstart.send" => {
                hide_in_words
            }
            _ => return None,
        };
        let [target, before, after] =
            [&self.target, &self.before, &self.after].map(|text| hide(text, address));
        if [&target, &before, &after].iter().all(|text| text.is_none()) {
            return None;
        }
        Some(Self {
            target: target.unwrap_or_else(|| self.target.clone()),
            before: before.unwrap_or_else(|| self.before.clone()),
            after: after.unwrap_or_else(|| self.after.clone()),
            ..self.clone()
        })
    }
}

fn is_of(text: &str, address: AddressKey) -> bool {
    Email::parse(text).is_ok_and(|email| email.key() == address)
}

/// The text without the address, where it is that or one of its words is.
fn hide_in_words(text: &str, address: AddressKey) -> Option<String> {
    if is_of(text, address) {
        return Some(FORGOTTEN.to_owned());
    }
    let ends = |c: char| c.is_whitespace() || ",;:<>()[]\"".contains(c);
    let mut found = false;
    let words = text.split_inclusive(ends).map(|word| {
        let bare = word
            .trim_end_matches(ends)
            .trim_matches(|c| ".!?'".contains(c));
        if !is_of(bare, address) {
            return word.to_owned();
        }
        found = true;
        word.replacen(bare, FORGOTTEN, 1)
    });
    let words = words.collect();
    found.then_some(words)
}

/// The query without the address, where one of its values is that.
fn hide_in_query(text: &str, address: AddressKey) -> Option<String> {
    let pairs: Vec<_> = form_urlencoded::parse(text.as_bytes()).collect();
    if !pairs.iter().any(|(_, value)| is_of(value, address)) {
        return None;
    }
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &pairs {
        let gone = is_of(value, address);
        out.append_pair(name, if gone { FORGOTTEN } else { value });
    }
    Some(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(action: &str, target: &str, after: &str) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_micros(0),
            actor: "ada@example.com".into(),
            action: action.into(),
            target: target.into(),
            before: String::new(),
            after: after.into(),
        }
    }

    #[test]
    fn a_forgotten_address_goes_from_the_entries_that_are_about_it() {
        let ada = Email::parse("ada@example.com").unwrap().key();
        for (action, target, after, left) in [
            (
                "suppression.put",
                "Ada@example.com",
                "by ada@example.com, bob@example.com",
                ["(forgotten)", "by (forgotten), bob@example.com"],
            ),
            (
                "suppression.drop",
                "ADA@EXAMPLE.com",
                "",
                ["(forgotten)", ""],
            ),
            (
                "quickstart.send",
                "ada@example.com",
                "",
                ["(forgotten)", ""],
            ),
            (
                "provider.test",
                "relay",
                "taken, to <ada@example.com>",
                ["relay", "taken, to <(forgotten)>"],
            ),
            (
                "suppression.put",
                "bob@example.com",
                "by mail:<ADA@example.com>,bob@example.com; 'ada@example.com'!",
                [
                    "bob@example.com",
                    "by mail:<(forgotten)>,bob@example.com; '(forgotten)'!",
                ],
            ),
            (
                "log.export",
                "log.csv",
                "email=ada%40example.com&status=FAILED",
                ["log.csv", "email=%28forgotten%29&status=FAILED"],
            ),
        ] {
            let entry = noted(action, target, after).without(ada);
            let entry = entry.unwrap_or_else(|| panic!("{action} names it still"));
            assert_eq!([&*entry.target, &entry.after], left, "{action}");
            assert_eq!(entry.actor, "ada@example.com");
        }
    }

    #[test]
    fn entries_about_others_and_about_admins_stay_as_they_are() {
        let ada = Email::parse("ada@example.com").unwrap().key();
        for (action, target, after) in [
            ("suppression.put", "bob@example.com", "asked"),
            ("log.export", "log.csv", "email=bob%40example.com"),
            ("admin.put", "ada@example.com", "owner"),
            ("session.open", "ada@example.com", ""),
        ] {
            assert_eq!(noted(action, target, after).without(ada), None, "{action}");
        }
    }
}
