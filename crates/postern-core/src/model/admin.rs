use super::{Email, Timestamp};

/// A person who may use the dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminAccount {
    /// Where their sign-in mails go, and what they are known by.
    pub email: Email,
    /// What they may do.
    pub role: Role,
    /// When they were let in.
    pub created_at: Timestamp,
}

/// What an admin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// See everything that is no secret.
    Viewer,
    /// See and change everything.
    Owner,
}

impl Role {
    /// The role with this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "viewer" => Some(Self::Viewer),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Owner => "owner",
        }
    }
}

/// SHA-256 of a random 256-bit token: what is kept of an invitation or a session.
pub type TokenDigest = [u8; 32];

/// An invitation: whoever has its token becomes, or is again, this admin. Good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// Its token's digest.
    pub digest: TokenDigest,
    /// Whom it lets in.
    pub email: Email,
    /// The role it gives to someone new.
    pub role: Role,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A dashboard session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminSession {
    /// Its token's digest.
    pub digest: TokenDigest,
    /// Whose it is.
    pub email: Email,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to about a minute.
    pub seen_at: Timestamp,
    /// When the admin last proved who they are.
    pub proved_at: Timestamp,
    /// The browser, as it names itself; at most 200 characters.
    pub agent: String,
}
