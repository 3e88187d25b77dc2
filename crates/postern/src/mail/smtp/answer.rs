//! How much a server may say before it is our turn again.

use std::io;

/// Bytes of the answers between two writes. RFC 5321 §4.5.3.1.5 has lines of 512 bytes, and an
/// EHLO has a few dozen, most of them short.
const BYTES: usize = 16 * 1024;

/// Lines of the same. The SMTP crate reads an answer anew from its start with every line that
/// comes, so that many short lines cost more than few long ones.
const LINES: usize = 128;

/// What was heard since we last wrote.
#[derive(Debug, Default)]
pub(super) struct Answer {
    bytes: usize,
    lines: usize,
}

/// A server that says more than anybody needs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMuch {
    #[error("the server's answer is longer than {} KiB", BYTES / 1024)]
    Bytes,
    #[error("the server's answer has more than {LINES} lines")]
    Lines,
}

impl Answer {
    /// Takes in what came.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<(), TooMuch> {
        self.bytes = self.bytes.saturating_add(bytes.len());
        let lines = bytes.split(|byte| *byte == b'\n').count() - 1;
        self.lines = self.lines.saturating_add(lines);
        if self.bytes > BYTES {
            return Err(TooMuch::Bytes);
        }
        if self.lines > LINES {
            return Err(TooMuch::Lines);
        }
        Ok(())
    }
}

impl TooMuch {
    /// Finds it again under the errors of the layers between.
    pub(super) fn under(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = error.source();
        while let Some(error) = next {
            let io = error.downcast_ref::<io::Error>();
            let inner = io.and_then(io::Error::get_ref);
            if let Some(found) = inner.and_then(|inner| inner.downcast_ref()) {
                return Some(*found);
            }
            next = error.source();
        }
        None
    }
}

impl From<TooMuch> for io::Error {
    fn from(found: TooMuch) -> Self {
        Self::new(io::ErrorKind::InvalidData, found)
    }
}
