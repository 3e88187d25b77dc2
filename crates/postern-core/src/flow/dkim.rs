use super::Postern;
use crate::error::Error;
use crate::model::{DkimKey, Snapshot, domain_name};
use crate::ports::Amendment;

/// Which DKIM key is meant, as the operator names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimName {
    domain: String,
    selector: String,
}

impl DkimName {
    /// Reads a domain, in any form, and a selector.
    ///
    /// # Errors
    /// Every broken field by name.
    pub fn parse(domain: &str, selector: &str) -> Result<Self, Error> {
        let Some(domain) = domain_name(domain.trim()).filter(|name| name.contains('.')) else {
            let told = format!("{domain:?} is not a domain such as example.com");
            return Err(Error::invalid("domain", "domain", told));
        };
        let selector = selector.trim().to_ascii_lowercase();
        let name = DkimKey::name_of(&domain, &selector);
        if !selector.split('.').all(is_label) || name.len() > 253 {
            let told = format!(
                "{selector:?} is not a selector: use letters, digits and hyphens, at most 63 between dots"
            );
            return Err(Error::invalid("selector", "selector", told));
        }
        Ok(Self { domain, selector })
    }

    /// The domain in ASCII and lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The selector in lower case.
    pub fn selector(&self) -> &str {
        &self.selector
    }
}

impl Postern {
    /// Adds DKIM keys, all or none; mails of their domains are signed with them from then on.
    ///
    /// # Errors
    /// A key of that domain and selector is there already, or there are as many as there may be
    /// ([`DkimKey::MOST`], [`DkimKey::MOST_OF_DOMAIN`]).
    pub async fn add_dkim_keys(&self, keys: Vec<DkimKey>) -> Result<(), Error> {
        self.amend(Box::new(move |snapshot, _| {
            let mut all = snapshot.dkim_keys.clone();
            for key in &keys {
                admit(&all, key)?;
                all.push(key.clone());
            }
            Ok(keys.iter().cloned().map(Amendment::PutDkimKey).collect())
        }))
        .await
        .map(drop)
    }

    /// Removes a DKIM key: it signs no more.
    ///
    /// # Errors
    /// There is no such key.
    pub async fn drop_dkim_key(&self, name: DkimName) -> Result<(), Error> {
        self.amend(Box::new(move |snapshot, _| {
            if find(snapshot, &name).is_some() {
                let DkimName { domain, selector } = name.clone();
                return Ok(vec![Amendment::DropDkimKey { domain, selector }]);
            }
            let told = format!(
                "there is no DKIM key {} of {}",
                name.selector(),
                name.domain()
            );
            Err(Error::invalid("selector", "exists", told))
        }))
        .await
        .map(drop)
    }
}

fn find<'a>(snapshot: &'a Snapshot, name: &'a DkimName) -> Option<&'a DkimKey> {
    snapshot
        .dkim_keys_of(&name.domain)
        .find(|key| key.selector == name.selector)
}

fn admit(held: &[DkimKey], key: &DkimKey) -> Result<(), Error> {
    let of_domain = || held.iter().filter(|one| one.domain == key.domain);
    let (domain, selector) = (&key.domain, &key.selector);
    if of_domain().any(|one| one.selector == *selector) {
        let told = format!(
            "{domain} has a DKIM key {selector} already: choose another selector, or remove that key first"
        );
        return Err(Error::invalid("selector", "unique", told));
    }
    if of_domain().count() >= DkimKey::MOST_OF_DOMAIN {
        let most = DkimKey::MOST_OF_DOMAIN;
        let told = format!("{domain} has {most} DKIM keys already: remove one first");
        return Err(Error::invalid("domain", "max_items", told));
    }
    if held.len() >= DkimKey::MOST {
        let told = format!(
            "there are {} DKIM keys already: remove one first",
            DkimKey::MOST
        );
        return Err(Error::invalid("domain", "max_items", told));
    }
    Ok(())
}

/// Whether the text is a label of a host name (RFC 1123 §2.1).
fn is_label(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_by_a_domain_in_any_form_and_a_selector_of_labels() {
        let name = DkimName::parse("Bücher.Example", "Mail.2026-11").unwrap();
        assert_eq!(
            (name.domain(), name.selector()),
            ("xn--bcher-kva.example", "mail.2026-11")
        );
        let too_long = "a".repeat(64);
        for wrong in ["", ".", "a..b", "-a", "a-", "a_b", "ä", too_long.as_str()] {
            assert!(DkimName::parse("example.com", wrong).is_err(), "{wrong:?}");
        }
        for wrong in ["", "localhost", "a b.example", "ada@example.com"] {
            assert!(DkimName::parse(wrong, "postern").is_err(), "{wrong:?}");
        }
    }
}
