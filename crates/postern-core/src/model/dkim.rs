use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::{Sealed, Slot, Timestamp};

/// A key that signs the mails of one sender domain (DKIM, RFC 6376). Receivers find its public half
/// in the DNS, where the operator puts [`Self::record`] as the TXT record at [`Self::record_name`].
///
/// Mails whose `From` is at `domain` itself carry one signature by each key of that domain, so that
/// a key can be replaced without a gap: make the new one, publish it, remove the old one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimKey {
    /// The sender domain, in ASCII and lower case: `d=` of a signature.
    pub domain: String,
    /// Which of the domain's keys; labels of ASCII letters, digits and hyphens: `s=` of a signature.
    pub selector: String,
    /// How it signs.
    pub algorithm: DkimAlgorithm,
    /// The private half as PKCS#8, sealed in slot (`dkim_keys`, `private`, record name).
    pub private: Sealed,
    /// The public half as the record holds it, before base64: for RSA the DER of a
    /// SubjectPublicKeyInfo (RFC 5280), for Ed25519 the 32 bytes of the key (RFC 8463 §4).
    pub public: Vec<u8>,
    /// When the key was made.
    pub created_at: Timestamp,
}

impl DkimKey {
    /// The most keys at a time.
    pub const MOST: usize = 64;
    /// The most keys of one domain: each is a signature in every mail.
    pub const MOST_OF_DOMAIN: usize = 4;

    /// The name of the DNS record, without a dot at the end.
    pub fn record_name(&self) -> String {
        Self::name_of(&self.domain, &self.selector)
    }

    /// The name of the DNS record of a domain's key.
    pub fn name_of(domain: &str, selector: &str) -> String {
        format!("{selector}._domainkey.{domain}")
    }

    /// The text of the TXT record (RFC 6376 §3.6.1). Longer than the 255 bytes of one
    /// character-string for RSA: [`Self::record_strings`] has the pieces.
    pub fn record(&self) -> String {
        let (kind, key) = (
            self.algorithm.as_str(),
            BASE64_STANDARD.encode(&self.public),
        );
        format!("v=DKIM1; k={kind}; p={key}")
    }

    /// The record as a zone file writes it: character-strings in quotes, of at most 255 bytes each
    /// (RFC 1035 §3.3), which receivers join without anything between them (RFC 6376 §3.6.2.2).
    pub fn record_strings(&self) -> String {
        let record = self.record();
        let pieces = record.as_bytes().chunks(255);
        let quoted = pieces.map(|piece| format!("\"{}\"", String::from_utf8_lossy(piece)));
        quoted.collect::<Vec<_>>().join(" ")
    }

    /// Where the private half of the key with this record name is sealed.
    pub fn private_slot(record_name: &str) -> Slot<'_> {
        Slot {
            table: "dkim_keys",
            column: "private",
            id: record_name.as_bytes(),
        }
    }
}

/// How a DKIM key signs; always over SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DkimAlgorithm {
    /// RSA of 2048 bits, `rsa-sha256` (RFC 8301): what every receiver knows.
    Rsa,
    /// `ed25519-sha256` (RFC 8463): short, and beside an RSA key for the receivers that know it.
    Ed25519,
}

impl DkimAlgorithm {
    /// The algorithm with this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "rsa" => Some(Self::Rsa),
            "ed25519" => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// Its name, as the record's `k=` tag has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: DkimAlgorithm, public: Vec<u8>) -> DkimKey {
        DkimKey {
            domain: "example.com".into(),
            selector: "brisbane".into(),
            algorithm,
            private: Sealed {
                kid: 1,
                bytes: Vec::new(),
            },
            public,
            created_at: Timestamp::from_micros(0),
        }
    }

    /// The example of RFC 8463, appendix A.2.
    #[test]
    fn an_ed25519_record_reads_as_the_standard_writes_it() {
        let public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let key = key(
            DkimAlgorithm::Ed25519,
            BASE64_STANDARD.decode(public).unwrap(),
        );
        assert_eq!(key.record_name(), "brisbane._domainkey.example.com");
        assert_eq!(key.record(), format!("v=DKIM1; k=ed25519; p={public}"));
        assert_eq!(key.record_strings(), format!("\"{}\"", key.record()));
    }

    #[test]
    fn an_rsa_record_is_cut_into_strings_that_join_to_the_record() {
        let key = key(DkimAlgorithm::Rsa, vec![7; 294]);
        let strings = key.record_strings();
        let joined = strings.replace("\" \"", "");
        assert_eq!(joined, format!("\"{}\"", key.record()));
        assert_eq!(strings.matches('"').count(), 4, "two strings: {strings}");
    }
}
