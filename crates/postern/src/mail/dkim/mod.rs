//! Signing mails by DKIM (RFC 6376; RSA as RFC 8301 has it, Ed25519 as RFC 8463). Only signing:
//! nothing here reads a signature. Why it is written here: `docs/decisions/0009`.

mod canonical;
mod key;
#[cfg(test)]
mod tests;

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::error::Unspecified;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::keyring::Keyring;
use postern_core::model::{DkimKey, Timestamp};

use key::Pair;
pub use key::make_dkim_key;

/// Fields that are signed where they are there.
const SIGNED: [&str; 11] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
    "x-auto-response-suppress",
];

/// Fields that are signed once more than they are there: one that somebody adds on the way, where
/// mail programs might show it instead, breaks the signature (RFC 6376 §8.15).
const OVERSIGNED: [&str; 5] = ["from", "to", "subject", "reply-to", "content-type"];

/// What signs the mails of one sender domain.
pub(super) struct Signer {
    domain: String,
    keys: Vec<(String, Pair)>,
}

impl Signer {
    /// Opens the keys of one domain. `None` without a key.
    ///
    /// # Errors
    /// Which key does not open, and why.
    pub(super) fn open(keys: &[DkimKey], keyring: &Keyring) -> Result<Option<Self>, String> {
        let Some(first) = keys.first() else {
            return Ok(None);
        };
        let open = |key: &DkimKey| match Pair::open(key, keyring) {
            Ok(pair) => Ok((key.selector.clone(), pair)),
            Err(problem) => Err(format!("DKIM key {}: {problem}", key.record_name())),
        };
        Ok(Some(Self {
            domain: first.domain.clone(),
            keys: keys.iter().map(open).collect::<Result<_, _>>()?,
        }))
    }

    /// The message with a signature by each key before it. Fields named in `rewritten` are left out
    /// of the signatures.
    ///
    /// # Errors
    /// When the library cannot sign, which has no known cause.
    pub(super) fn sign(
        &self,
        message: &[u8],
        rewritten: &[&str],
        at: Timestamp,
    ) -> Result<Vec<u8>, Unspecified> {
        let content = Content::of(message, rewritten);
        let mut signed = Vec::with_capacity(message.len() + 900 * self.keys.len());
        for (selector, pair) in &self.keys {
            let open = self.unsigned_field(selector, pair, &content, at);
            let signature = pair.sign(&content.with(&open))?;
            signed.extend_from_slice(closed(&open, &signature).as_bytes());
        }
        signed.extend_from_slice(message);
        Ok(signed)
    }

    /// The `DKIM-Signature` field up to its `b=` tag.
    fn unsigned_field(
        &self,
        selector: &str,
        pair: &Pair,
        content: &Content,
        at: Timestamp,
    ) -> String {
        format!(
            "DKIM-Signature: v=1; a={algorithm}; c=relaxed/relaxed; d={domain};\r\n \
             s={selector}; t={at};\r\n h={names};\r\n bh={hash};\r\n b=",
            algorithm = pair.algorithm(),
            domain = self.domain,
            at = at.unix_seconds(),
            names = content.names.join(":"),
            hash = content.body_hash,
        )
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, {} keys)", self.domain, self.keys.len())
    }
}

/// What all signatures of a message are over.
struct Content {
    /// The `h=` tag.
    names: Vec<&'static str>,
    /// The signed fields in their relaxed form, each with its line end.
    fields: Vec<u8>,
    /// The `bh=` tag.
    body_hash: String,
}

impl Content {
    fn of(message: &[u8], rewritten: &[&str]) -> Self {
        let (all, body) = canonical::parts(message);
        let (mut names, mut fields) = (Vec::new(), Vec::new());
        for name in SIGNED {
            if rewritten.contains(&name) {
                continue;
            }
            let there = all
                .iter()
                .rev()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()));
            for (name_there, value) in there {
                fields.extend(canonical::field(name_there, value));
                fields.extend_from_slice(b"\r\n");
                names.push(name);
            }
            if OVERSIGNED.contains(&name) {
                names.push(name);
            }
        }
        let hash = digest(&SHA256, &canonical::body(body));
        Self {
            names,
            fields,
            body_hash: BASE64_STANDARD.encode(hash),
        }
    }

    /// The text that is signed: the fields, and the signature's own field with an empty `b=`.
    fn with(&self, own: &str) -> Vec<u8> {
        let (name, value) = own.split_once(':').unwrap_or((own, ""));
        let own = canonical::field(name.as_bytes(), value.as_bytes());
        [self.fields.as_slice(), &own].concat()
    }
}

/// The field with its signature, in lines that no server has to fold.
fn closed(open: &str, signature: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(signature);
    let lines = text.as_bytes().chunks(72).map(String::from_utf8_lossy);
    format!("{open}{}\r\n", lines.collect::<Vec<_>>().join("\r\n "))
}
