use std::fmt;

/// Bytes that only a key of the keyring opens; they name the root that sealed them.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The root whose `seal` key was used.
    pub kid: u8,
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(kid {}, {} bytes)", self.kid, self.bytes.len())
    }
}

/// The place in the store that a sealed value belongs to: it opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<'a> {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's primary key.
    pub id: &'a [u8],
}
