use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Timestamp;

/// Names an auth request: 16 bytes, time-ordered (RFC 9562 version 7). Not a secret; what opens
/// anything is the tagged [`super::RequestHandle`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthRequestId([u8; 16]);

impl AuthRequestId {
    /// Bytes of randomness that [`Self::new`] needs.
    pub const RANDOM: usize = 10;

    /// A new id made at `now`.
    pub fn new(now: Timestamp, random: [u8; Self::RANDOM]) -> Self {
        Self(time_ordered(now, random))
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The smallest id that could be made at `at`: ids below it are older.
    pub fn floor(at: Timestamp) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis48(at));
        Self(bytes)
    }

    /// Reads the form that logs and pages show: `req_` and 22 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix("req_")?).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

impl fmt::Display for AuthRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "req_{}", URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for AuthRequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names one mail of an auth request: the request and the mail's place in it, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The request that is mailed.
    pub request: AuthRequestId,
    /// 0 for the first mail, then 1 for the first resend, …
    pub ordinal: u16,
}

impl DeliveryId {
    /// Reads the form that `Display` writes, which is also what stands before the `@` of a
    /// Message-ID.
    pub fn parse(text: &str) -> Option<Self> {
        let (request, ordinal) = text.split_once('.')?;
        let id = Self {
            request: AuthRequestId::parse(request)?,
            ordinal: ordinal.parse().ok()?,
        };
        (id.to_string() == text).then_some(id)
    }

    /// Reads a Message-ID of ours, with or without its angle brackets.
    pub fn of_message_id(text: &str) -> Option<Self> {
        let bare = text.trim().trim_start_matches('<').trim_end_matches('>');
        Self::parse(bare.split_once('@')?.0)
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.request, self.ordinal)
    }
}

/// Names an API client: `skc_` and 18 digits or more, at most 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Box<str>);

impl ClientId {
    /// A new id from 8 random bytes.
    pub fn new(random: [u8; 8]) -> Self {
        Self(format!("skc_{:020}", u64::from_be_bytes(random)).into())
    }

    /// Reads an id: 1 to 64 ASCII letters, digits, `_` or `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        fits.then(|| Self(text.into()))
    }

    /// The dashboard as the client of its own sign-ins. No token is ever made for it.
    pub fn dashboard() -> Self {
        Self(DASHBOARD.into())
    }

    /// Whether it is the dashboard's own.
    pub fn is_dashboard(&self) -> bool {
        &*self.0 == DASHBOARD
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const DASHBOARD: &str = "postern-dashboard";

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Names a running process among those that share a store; new at every start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(pub [u8; 8]);

fn time_ordered(now: Timestamp, random: [u8; 10]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis48(now));
    bytes[6..].copy_from_slice(&random);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

fn millis48(at: Timestamp) -> [u8; 6] {
    let all = at.unix_millis().max(0).to_be_bytes();
    [all[2], all[3], all[4], all[5], all[6], all[7]]
}

#[cfg(test)]
mod delivery_id_tests {
    use super::*;

    #[test]
    fn a_delivery_is_read_back_from_its_message_id_and_from_nothing_else() {
        let id = DeliveryId {
            request: AuthRequestId::from_bytes([7; 16]),
            ordinal: 3,
        };
        for text in [
            format!("<{id}@mail.example>"),
            format!(" {id}@mail.example"),
        ] {
            assert_eq!(DeliveryId::of_message_id(&text), Some(id), "{text}");
        }
        for other in [
            "",
            "@",
            "<abc@mail.example>",
            "req_x.1@a",
            &format!("{id}"),
            &format!("<{id}0x@a>"),
        ] {
            assert_eq!(DeliveryId::of_message_id(other), None, "{other}");
        }
        assert_eq!(DeliveryId::parse(&format!("{}.+3", id.request)), None);
    }
}
