use std::time::Duration;

use super::{AuthRequestId, ClientId, Email, Sealed, Timestamp};

/// One try to prove control of an address, as it rests in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthRequest {
    /// Its name, which also says when it was opened.
    pub id: AuthRequestId,
    /// The root that its credentials are derived from.
    pub kid: u8,
    /// The client it belongs to.
    pub client: ClientId,
    /// The address it is about.
    pub address: Email,
    /// What is mailed; frozen at send.
    pub method: Method,
    /// Which wording the mail uses, echoed by verify.
    pub template: Option<Template>,
    /// The form of its codes; frozen at send.
    pub shape: CodeShape,
    /// Its codes are long enough to be judged outside the address's guess budget.
    pub hardened: bool,
    /// It was opened for a test identity: nothing is mailed, and the one proof it knows is the static
    /// code, for as long as its address is listed; frozen at send.
    pub test: bool,
    /// How long each mail's credentials live, 60 to 3600 s; frozen at send.
    pub lifetime: Duration,
    /// Which generation of credentials is valid, from 0; each regeneration adds one.
    pub generation: u16,
    /// When that generation was first mailed.
    pub generation_at: Timestamp,
    /// When the request was opened.
    pub sent_at: Timestamp,
    /// When it expires, unless it is resent.
    pub expires_at: Timestamp,
    /// How often it was resent, 0 to 10.
    pub resends: u8,
    /// Whether it can still be used.
    pub state: State,
    /// The different wrong codes that were offered.
    pub wrong: WrongCodes,
    /// The caller's `state`, sealed in slot (`auth_requests`, `state`, id).
    pub caller_state: Option<Sealed>,
}

/// Whether an auth request can still be used. Expiry is no state: it is computed when read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Neither used nor dead.
    Open,
    /// Accepted, once and for all.
    Used(UsedBy),
    /// Too many wrong codes.
    Dead,
}

/// Which proof was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsedBy {
    /// The passcode.
    Code,
    /// The link.
    Link,
}

/// What a mail carries; `passwordless_type` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Method {
    /// A passcode.
    Otp,
    /// A magic link.
    Link,
    /// Both.
    LinkOtp,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Otp, Self::Link, Self::LinkOtp];

    /// Whether the mail holds a passcode.
    pub fn has_code(self) -> bool {
        matches!(self, Self::Otp | Self::LinkOtp)
    }

    /// Whether the mail holds a link.
    pub fn has_link(self) -> bool {
        matches!(self, Self::Link | Self::LinkOtp)
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "OTP",
            Self::Link => "LINK",
            Self::LinkOtp => "LINK_OTP",
        }
    }

    /// The number on the wire (contract §3) and in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Otp => 1,
            Self::Link => 2,
            Self::LinkOtp => 3,
        }
    }

    /// The method with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.number() == number)
    }
}

/// Which wording a mail uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Template {
    /// Given explicitly as 0; worded as a sign-in.
    Unspecified,
    /// Sign in to an account.
    Signin,
    /// Make an account.
    Signup,
}

impl Template {
    /// The number on the wire (contract §3) and in the store.
    pub fn number(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::Signin => 1,
            Self::Signup => 2,
        }
    }

    /// The template with this number.
    pub fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Unspecified),
            1 => Some(Self::Signin),
            2 => Some(Self::Signup),
            _ => None,
        }
    }
}

/// The form of a request's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeShape {
    /// Characters in a code, 6 to 10.
    pub length: u8,
    /// What they are drawn from.
    pub alphabet: CodeAlphabet,
}

impl CodeShape {
    /// The form of a hardened request's codes: 30^10 of them, 49 bits.
    pub const HARDENED: Self = Self {
        length: 10,
        alphabet: CodeAlphabet::Alphanumeric,
    };

    /// Whether a code of this form could read `code`.
    pub fn admits(self, code: &str) -> bool {
        code.len() == usize::from(self.length)
            && code.bytes().all(|b| self.alphabet.symbols().contains(&b))
    }
}

/// What the characters of a code are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeAlphabet {
    /// The digits 0 to 9.
    Numeric,
    /// 30 digits and capitals, without those mistaken for one another (0 O, 1 I L, U V).
    Alphanumeric,
}

impl CodeAlphabet {
    /// The symbols, as ASCII bytes.
    pub fn symbols(self) -> &'static [u8] {
        match self {
            Self::Numeric => b"0123456789",
            Self::Alphanumeric => b"23456789ABCDEFGHJKMNPQRSTVWXYZ",
        }
    }

    /// The name in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Numeric => "NUMERIC",
            Self::Alphanumeric => "ALPHANUMERIC",
        }
    }
}

/// Digests of the different wrong codes offered to a request; at most five.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrongCodes(Vec<[u8; 16]>);

impl WrongCodes {
    /// How many there can be.
    pub const MAX: usize = 5;

    /// How many there are.
    pub fn count(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// Whether this one was offered before.
    pub fn contains(&self, digest: &[u8; 16]) -> bool {
        self.0.contains(digest)
    }

    /// The digests with one more; a full set stays as it is.
    #[must_use]
    pub fn with(&self, digest: [u8; 16]) -> Self {
        let mut all = self.0.clone();
        if all.len() < Self::MAX {
            all.push(digest);
        }
        Self(all)
    }

    /// The stored form: 16 bytes a digest.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Reads the stored form; a torn last entry is dropped.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(
            bytes
                .as_chunks::<16>()
                .0
                .iter()
                .take(Self::MAX)
                .copied()
                .collect(),
        )
    }
}
