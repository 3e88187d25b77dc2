//! The keyring file: the root secrets, and which of them is current.
//!
//! TOML, mode 0600:
//!
//! ```toml
//! current = 1
//! last = 1
//! [roots]
//! 1 = "base64 of 32 random bytes"
//! ```
//!
//! `last` is the number given last: numbers of retired roots are not given again until all have
//! been. Whoever changes the file holds `<file>.lock` from reading it until it is replaced.

mod hold;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use postern_core::keyring::{Keyring, KeyringProblem, RootSecret};
use serde::Deserialize;
use zeroize::Zeroizing;

pub use self::hold::Hold;
use crate::private_file;

/// The content of a keyring file.
#[derive(Clone, Debug)]
pub struct RootKeys {
    roots: BTreeMap<u8, RootSecret>,
    current: u8,
    last: u8,
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
    /// Missing in a file written by hand: then the highest root is the last.
    last: Option<u8>,
    roots: BTreeMap<String, Zeroizing<String>>,
}

impl RootKeys {
    /// One root, number 1, current.
    pub fn first(secret: RootSecret) -> Self {
        Self {
            roots: BTreeMap::from([(1, secret)]),
            current: 1,
            last: 1,
        }
    }

    /// Changes the file while nobody else does, and answers what is in it then. A missing file is
    /// made of `first`, which is the whole change.
    ///
    /// # Errors
    /// The change is refused, or the file is missing without a `first`, cannot be read or written,
    /// or is held by another process for too long ([`Hold::take`]).
    pub fn edit(
        file: &Path,
        first: Option<RootSecret>,
        edit: impl FnOnce(&mut Self) -> Result<(), RootKeysError>,
    ) -> Result<Self, RootKeysError> {
        let _hold = Hold::take(file)?;
        let roots = match (Self::read(file), first) {
            (Err(RootKeysError::Missing(_)), Some(secret)) => Self::first(secret),
            (read, _) => {
                let mut roots = read?;
                edit(&mut roots)?;
                roots
            }
        };
        roots.write(file)?;
        Ok(roots)
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

    /// Replaces the file, durably. The caller holds it ([`Hold`]).
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, file: &Path) -> Result<(), RootKeysError> {
        let mut text = Zeroizing::new(String::from(
            "# Root keys of Postern. Everything is derived from them or sealed under them: keep them secret,\n\
             # and keep a copy where the database is not.\n",
        ));
        let _ = write!(
            text,
            "current = {}\nlast = {}\n\n[roots]\n",
            self.current, self.last
        );
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

    /// Adds a root under the number after the one given last; it is accepted and does not issue.
    ///
    /// # Errors
    /// All 255 numbers are taken.
    pub fn add(&mut self, secret: RootSecret) -> Result<u8, RootKeysError> {
        let free = (self.last..u8::MAX)
            .map(|kid| kid + 1)
            .chain(1..=self.last)
            .find(|kid| !self.roots.contains_key(kid));
        let kid = free.ok_or_else(|| {
            RootKeysError::Refused("all 255 root numbers are taken: retire one first".into())
        })?;
        self.roots.insert(kid, secret);
        self.last = kid;
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
        let highest = roots.keys().next_back().copied().unwrap_or(0);
        let keys = Self {
            roots,
            current: written.current,
            last: written.last.unwrap_or(highest),
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
    fn the_current_root_cannot_be_retired() {
        let mut keys = keys();
        assert_eq!(
            keys.retire(1).expect_err("current").to_string(),
            "root key 1 is current: promote another one first"
        );
        assert_eq!(
            keys.promote(9).expect_err("missing").to_string(),
            "there is no root key 9"
        );
    }

    #[test]
    fn a_retired_number_is_given_again_only_after_all_others() {
        let mut keys = keys();
        for kid in 2..=3 {
            assert_eq!(keys.add(RootSecret::new([kid; 32])).expect("free"), kid);
        }
        keys.retire(3).expect("not current");
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("root.keys");
        keys.write(&file).expect("the directory is writable");
        let mut keys = RootKeys::read(&file).expect("it was written");
        for kid in (4..=255).chain([3]) {
            assert_eq!(keys.add(RootSecret::new([9; 32])).expect("free"), kid);
        }
        let full = keys.add(RootSecret::new([9; 32])).expect_err("full");
        assert!(full.to_string().starts_with("all 255 root numbers"));
    }

    #[test]
    fn roots_added_at_the_same_time_all_stay() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = dir.path().join("root.keys");
        let add = || {
            RootKeys::edit(&file, Some(RootSecret::new([7; 32])), |roots| {
                roots.add(RootSecret::new([8; 32])).map(drop)
            })
            .expect("each is added")
        };
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(add);
            }
        });
        let kept = RootKeys::read(&file).expect("it was written");
        assert_eq!(kept.kids(), (1..=12).collect::<Vec<_>>());
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
