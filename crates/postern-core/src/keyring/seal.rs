use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::Keyring;
use super::roots::{Root, expand};
use crate::model::{Sealed, Slot};

/// Why a sealed value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealProblem {
    /// Its root is not in the keyring.
    #[error("it was sealed under root key {0}, which this keyring does not hold")]
    NoRoot(u8),
    /// It was changed, or belongs to another row.
    #[error("it was changed or belongs elsewhere")]
    Broken,
}

impl Keyring {
    /// Bytes of randomness that [`Self::seal`] needs.
    pub const NONCE: usize = NONCE_LEN;

    /// Seals `plain` for its place in the store, under the current root.
    ///
    /// AES-256-GCM with a key of its own for every slot, so that a random 96-bit nonce is never
    /// worn out; the slot is the associated data (NIST SP 800-38D).
    pub fn seal(&self, slot: &Slot<'_>, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Sealed {
        let root = self.current();
        let mut bytes = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        bytes.extend_from_slice(&nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = slot_key(root, slot)
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated(slot)),
                &mut text,
            )
            .expect("a value of a few KiB is within the cipher's bound");
        bytes.extend_from_slice(&text);
        bytes.extend_from_slice(tag.as_ref());
        Sealed {
            kid: root.kid,
            bytes,
        }
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// The root is missing, or the value was changed or moved.
    pub fn open(
        &self,
        slot: &Slot<'_>,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealProblem> {
        let root = self
            .root(sealed.kid)
            .ok_or(SealProblem::NoRoot(sealed.kid))?;
        let (nonce, rest) = sealed
            .bytes
            .split_at_checked(NONCE_LEN)
            .ok_or(SealProblem::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealProblem::Broken)?;
        let mut text = Zeroizing::new(rest.to_vec());
        let length = slot_key(root, slot)
            .open_in_place(nonce, Aad::from(associated(slot)), &mut text)
            .map_err(|_| SealProblem::Broken)?
            .len();
        text.truncate(length);
        Ok(text)
    }
}

fn slot_key(root: &Root, slot: &Slot<'_>) -> LessSafeKey {
    let key = expand(&root.seal, &[&associated(slot)]);
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*key).expect("AES-256 takes 32 bytes"))
}

/// Table, column and id, each with its length before it: no two slots read alike.
fn associated(slot: &Slot<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    for part in [slot.table.as_bytes(), slot.column.as_bytes(), slot.id] {
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
