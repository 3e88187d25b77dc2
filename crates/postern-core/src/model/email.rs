use std::fmt;

use aws_lc_rs::digest;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

use super::ClientId;

/// One mailbox: kept as given, compared by its normal form.
///
/// A dot-atom local part (RFC 5321 and, for non-ASCII letters, RFC 6531) at a domain name of two
/// labels or more (RFC 5890). No display name, quotes, comments, address literals, controls or
/// look-alikes of `@`.
#[derive(Clone, PartialEq, Eq)]
pub struct Email {
    given: Box<str>,
    normal: Box<str>,
}

/// Why a text is not an address we mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailProblem {
    /// Nothing was given.
    #[error("email is required")]
    Missing,
    /// Over 320 characters, a local part over 64 octets or a domain over 253.
    #[error("email is too long")]
    TooLong,
    /// Not exactly one address.
    #[error("email is not a valid e-mail address: give one plain address such as ada@example.com")]
    Malformed,
}

/// Names an address in quotas, budgets and events: 16 bytes of a SHA-256 over the folded form.
/// It depends on no key, so quotas outlive every rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey(pub [u8; 16]);

/// Providers that ignore what follows a plus sign: the domain, the name that all domains of the same
/// mailboxes share, and whether dots are ignored as well.
const FOLDING: &[(&str, &str, bool)] = &[
    ("gmail.com", "gmail.com", true),
    ("googlemail.com", "gmail.com", true),
    ("fastmail.com", "fastmail.com", false),
    ("hotmail.com", "hotmail.com", false),
    ("icloud.com", "icloud.com", false),
    ("live.com", "live.com", false),
    ("mac.com", "icloud.com", false),
    ("me.com", "icloud.com", false),
    ("msn.com", "msn.com", false),
    ("outlook.com", "outlook.com", false),
    ("pm.me", "proton.me", false),
    ("proton.me", "proton.me", false),
    ("protonmail.com", "proton.me", false),
];

impl Email {
    /// The longest address accepted, in characters.
    pub const MAX_CHARS: usize = 320;

    /// Reads one address; nothing is trimmed or repaired.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, EmailProblem> {
        if text.is_empty() {
            return Err(EmailProblem::Missing);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(EmailProblem::TooLong);
        }
        if text.chars().any(is_ignorable) {
            return Err(EmailProblem::Malformed);
        }
        let (local, domain) = split(text).ok_or(EmailProblem::Malformed)?;
        if local.len() > 64 {
            return Err(EmailProblem::TooLong);
        }
        if !is_dot_atom(local) {
            return Err(EmailProblem::Malformed);
        }
        let domain = ascii_domain(domain).ok_or(EmailProblem::Malformed)?;
        Ok(Self {
            normal: format!("{}@{domain}", fold_case(local)).into(),
            given: text.into(),
        })
    }

    /// The address as the caller gave it: what is mailed and echoed.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The form by which addresses are compared: NFKC, lower case, the domain in ASCII.
    pub fn normal(&self) -> &str {
        &self.normal
    }

    /// The local part as given.
    pub fn local(&self) -> &str {
        split(&self.given).expect("an Email holds one @").0
    }

    /// The domain in ASCII (A-labels), lower case.
    pub fn domain(&self) -> &str {
        split(&self.normal).expect("an Email holds one @").1
    }

    /// SHA-256 of the normal form: what credentials are bound to.
    pub fn binding(&self) -> [u8; 32] {
        sha256(&[self.normal.as_bytes()])
    }

    /// The key of the address's quotas: as [`Self::normal`], with plus tags and dots folded for the
    /// few providers known to ignore them.
    pub fn key(&self) -> AddressKey {
        let (local, domain) = split(&self.normal).expect("an Email holds one @");
        let digest = match FOLDING.iter().find(|(name, ..)| *name == domain) {
            None => sha256(&[b"postern address\0", self.normal.as_bytes()]),
            Some((_, shared, dots)) => {
                let untagged = local.split_once('+').map_or(local, |(before, _)| before);
                let local = if *dots {
                    untagged.replace('.', "")
                } else {
                    untagged.to_owned()
                };
                let shared = shared.as_bytes();
                sha256(&[b"postern address\0", local.as_bytes(), b"@", shared])
            }
        };
        AddressKey(digest[..16].try_into().expect("16 of 32 bytes"))
    }

    /// The key under which the mails that a client sends to the address, and the wrong codes for
    /// them, are counted: one for all apps, and one apart for sign-ins to the dashboard. Else who
    /// asks or guesses here and looks there would learn that the address is an admin's, and who does
    /// so at an app would keep the admin out.
    pub fn counted_as(&self, client: &ClientId) -> AddressKey {
        if client.is_dashboard() {
            self.dashboard_key()
        } else {
            self.key()
        }
    }

    /// A key that no address has.
    fn dashboard_key(&self) -> AddressKey {
        let digest = sha256(&[b"postern dashboard\0", &self.key().0]);
        AddressKey(digest[..16].try_into().expect("16 of 32 bytes"))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// Splits at the one `@`; a second one, in plain or compatibility form, makes it no address.
fn split(text: &str) -> Option<(&str, &str)> {
    let (local, domain) = text.split_once('@')?;
    let one = !domain.contains('@')
        && (text.is_ascii() || text.nfkc().filter(|c| *c == '@').count() == 1);
    one.then_some((local, domain))
}

fn is_dot_atom(local: &str) -> bool {
    let written = |text: &str| {
        text.split('.')
            .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
    };
    written(local) && (local.is_ascii() || written(&local.nfkc().collect::<String>()))
}

fn is_atom_char(c: char) -> bool {
    use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory as _};
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    }
    matches!(
        c.general_category_group(),
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark | GeneralCategoryGroup::Number
    )
}

/// Code points that show nothing (Unicode's Default_Ignorable_Code_Point): with them one mailbox
/// could be written, and echoed to the app, in countless ways.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = domain_name(domain)?;
    let top = ascii.rsplit_once('.')?.1;
    (!top.bytes().all(|b| b.is_ascii_digit())).then_some(ascii)
}

/// A domain name in ASCII (A-labels) and lower case, as addresses are compared.
pub(crate) fn domain_name(domain: &str) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Check,
            DnsLength::Verify,
        )
        .ok()?;
    Some(ascii.to_ascii_lowercase())
}

fn fold_case(local: &str) -> String {
    if local.is_ascii() {
        return local.to_ascii_lowercase();
    }
    local
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect()
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context
        .finish()
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
