use std::fmt;

use postern_core::model::Timestamp;

/// Why nothing is written to a store any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Since when.
    pub at: Timestamp,
    /// What the store is fenced for.
    pub kind: FenceKind,
    /// The store on the other side, without its password.
    pub other: String,
}

/// What a store is fenced for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceKind {
    /// It was copied to the other one, which is served instead.
    CopiedAway,
    /// It is being filled from the other one.
    BeingFilled,
}

impl FenceKind {
    /// The number in the store.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::CopiedAway => 0,
            Self::BeingFilled => 1,
        }
    }

    /// The kind with this number; one that is not known keeps writers out all the same.
    pub(crate) fn from_number(number: i64) -> Self {
        match number {
            1 => Self::BeingFilled,
            _ => Self::CopiedAway,
        }
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, other) = (self.at.rfc3339(), &self.other);
        match self.kind {
            FenceKind::CopiedAway => write!(
                f,
                "the store is fenced: at {at} it was copied to {other}, which is to be served instead. To give the \
                 copy up and serve this one again: `postern store lift DIR|URL`"
            ),
            FenceKind::BeingFilled => write!(
                f,
                "the store is fenced: the copy into it from {other}, begun at {at}, is not finished. Run that `postern \
                 store copy` again; it goes on where it was"
            ),
        }
    }
}

impl std::error::Error for Fence {}
