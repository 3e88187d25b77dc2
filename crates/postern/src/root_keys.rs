//! The keyring file: the root secrets, and which of them is current.
//!
//! TOML, mode 0600:
//!
//! ```toml
//! current = 1
//! [roots]
//! 1 = "base64 of 32 random bytes"
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::keyring::{Keyring, KeyringProblem, RootSecret};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::private_file;

/// The content of a keyring file.
#[derive(Clone, Debug)]
pub struct RootKeys {
    roots: BTreeMap<u8, RootSecret>,
    current: u8,
}

/// Why a keyring file cannot be read or changed. `Display` never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum RootKeysError {
    /// The file cannot be read or written.
    #[error("cannot access the root keys {file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not there.
    #[error("there are no root keys at {0}: make them with `postern keys root add`")]
    Missing(String),
    /// The file is not in the form that is written above.
    #[error("the root keys {file} cannot be read: {problem}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong, without what is written there.
        problem: String,
    },
    /// The change makes no sense.
    #[error("{0}")]
    Refused(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    current: u8,
    roots: BTreeMap<String, Zeroizing<String>>,
}

impl RootKeys {
    /// One root, number 1, current.
    pub fn first(secret: RootSecret) -> Self {
        Self {
            roots: BTreeMap::from([(1, secret)]),
            current: 1,
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, unreadable or malformed.
    pub fn read(file: &Path) -> Result<Self, RootKeysError> {
        let name = file.display().to_string();
        match private_file::read(file) {
            Ok(Some(text)) => {
                let text = Zeroizing::new(text);
                Self::parse(&text).map_err(|problem| RootKeysError::Malformed {
                    file: name,
                    problem,
                })
            }
            Ok(None) => Err(RootKeysError::Missing(name)),
            Err(source) => Err(RootKeysError::Io { file: name, source }),
        }
    }

    /// Replaces the file, durably.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), RootKeysError> {
        let mut text = Zeroizing::new(String::from(
            "# Root keys of Postern. Everything is derived from them or sealed under them: keep them secret,\n\
             # and keep a copy where the database is not.\n",
        ));
        let _ = write!(text, "current = {}\n\n[roots]\n", self.current);
        for (kid, secret) in &self.roots {
            let _ = writeln!(
                text,
                "{kid} = \"{}\"",
                *Zeroizing::new(BASE64_STANDARD.encode(secret.expose()))
            );
        }
        private_file::replace(file, text.as_bytes()).map_err(|source| RootKeysError::Io {
            file: file.display().to_string(),
            source,
        })
    }

    /// The keyring that these roots make.
    ///
    /// # Errors
    /// A number that is 0 or not there.
    pub fn keyring(&self) -> Result<Keyring, KeyringProblem> {
        let roots: Vec<_> = self
            .roots
            .iter()
            .map(|(kid, secret)| (*kid, secret.clone()))
            .collect();
        Keyring::new(&roots, self.current)
    }

    /// The number that issues.
    pub fn current(&self) -> u8 {
        self.current
    }

    /// Every number, in order.
    pub fn kids(&self) -> Vec<u8> {
        self.roots.keys().copied().collect()
    }

    /// Adds a root under the next number; it is accepted and does not issue.
    ///
    /// # Errors
    /// All 255 numbers are taken.
    pub fn add(&mut self, secret: RootSecret) -> Result<u8, RootKeysError> {
        let highest = self.roots.keys().next_back().copied().unwrap_or(0);
        let free = (highest..u8::MAX)
            .map(|kid| kid + 1)
            .chain(1..=highest)
            .find(|kid| !self.roots.contains_key(kid));
        let kid = free.ok_or_else(|| {
            RootKeysError::Refused("all 255 root numbers are taken: retire one first".into())
        })?;
        self.roots.insert(kid, secret);
        Ok(kid)
    }

    /// Lets a root issue.
    ///
    /// # Errors
    /// There is no such root.
    pub fn promote(&mut self, kid: u8) -> Result<(), RootKeysError> {
        self.known(kid)?;
        self.current = kid;
        Ok(())
    }

    /// Removes a root. Whether anything still names it, the caller has asked the store.
    ///
    /// # Errors
    /// There is no such root, or it is current.
    pub fn retire(&mut self, kid: u8) -> Result<(), RootKeysError> {
        self.known(kid)?;
        if kid == self.current {
            return Err(RootKeysError::Refused(format!(
                "root key {kid} is current: promote another one first"
            )));
        }
        self.roots.remove(&kid);
        Ok(())
    }

    fn known(&self, kid: u8) -> Result<(), RootKeysError> {
        if self.roots.contains_key(&kid) {
            return Ok(());
        }
        Err(RootKeysError::Refused(format!(
            "there is no root key {kid}"
        )))
    }

    fn parse(text: &str) -> Result<Self, String> {
        // The parser's own message may quote the line: it would print a secret.
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line} is not as expected")
        })?;
        let mut roots = BTreeMap::new();
        for (number, secret) in &written.roots {
            let kid = number.parse::<u8>().ok().filter(|kid| *kid > 0);
            let kid = kid.ok_or_else(|| format!("{number:?} is not a number from 1 to 255"))?;
            roots.insert(
                kid,
                decode(secret).ok_or_else(|| format!("root {kid} is not 32 bytes in base64"))?,
            );
        }
        let keys = Self {
            roots,
            current: written.current,
        };
        keys.known(keys.current)
            .map_err(|problem| problem.to_string())?;
        Ok(keys)
    }
}

fn decode(secret: &str) -> Option<RootSecret> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(secret).ok()?);
    Some(RootSecret::new(bytes.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> RootKeys {
        RootKeys::first(RootSecret::new([7; 32]))
    }

    #[test]
    fn what_is_written_reads_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("root.keys");
        let mut keys = keys();
        let added = keys
            .add(RootSecret::new([8; 32]))
            .expect("254 numbers are free");
        keys.promote(added).expect("it was added");
        keys.write(&file).expect("the directory is writable");
        let again = RootKeys::read(&file).expect("it was written");
        assert_eq!((again.kids(), again.current()), (vec![1, 2], 2));
        assert_eq!(again.roots[&1].expose(), &[7; 32]);
        assert_eq!(again.keyring().expect("it makes sense").current_kid(), 2);
    }

    #[test]
    fn the_current_root_cannot_be_retired_and_a_number_is_not_used_again_at_once() {
        let mut keys = keys();
        assert_eq!(
            keys.retire(1).expect_err("current").to_string(),
            "root key 1 is current: promote another one first"
        );
        assert_eq!(
            keys.promote(9).expect_err("missing").to_string(),
            "there is no root key 9"
        );
        for kid in 2..=3 {
            assert_eq!(keys.add(RootSecret::new([kid; 32])).expect("free"), kid);
        }
        keys.retire(2).expect("not current");
        assert_eq!(keys.add(RootSecret::new([9; 32])).expect("free"), 4);
    }

    #[test]
    fn a_malformed_file_is_refused_without_quoting_it() {
        for (text, told) in [
            (
                "current = 1\n[roots]\n1 = c2VjcmV0\n",
                "line 3 is not as expected",
            ),
            (
                "current = 1\n[roots]\n1 = \"c2VjcmV0\"\n",
                "root 1 is not 32 bytes in base64",
            ),
            ("current = 2\n[roots]\n", "there is no root key 2"),
            (
                "current = 1\n[roots]\n0 = \"c2VjcmV0\"\n",
                "\"0\" is not a number from 1 to 255",
            ),
        ] {
            assert_eq!(RootKeys::parse(text).expect_err(text), told);
        }
    }
}
