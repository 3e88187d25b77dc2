//! How far a long command has come, on standard error.

use std::io::{IsTerminal as _, Write as _, stderr};

use postern_store::Progress;
use serde_json::json;

/// Shows progress: a line that is written over on a terminal, one JSON value a line for machines,
/// and nothing to files.
pub(super) struct Shown {
    json: bool,
    terminal: bool,
    last: Option<(String, u64)>,
}

impl Shown {
    /// Nothing shown yet.
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            terminal: stderr().is_terminal(),
            last: None,
        }
    }

    /// Shows what differs from what was shown last: another step, or another hundredth of it.
    pub(super) fn show(&mut self, now: Progress<'_>) {
        let share = (now.done * 100).checked_div(now.of);
        let share = share.unwrap_or(now.done / 10_000);
        let same = |(step, shown): &(String, u64)| step == now.step && *shown == share;
        if self.last.as_ref().is_some_and(same) {
            return;
        }
        self.last = Some((now.step.to_owned(), share));
        let line = if self.json {
            let told = json!({ "step": now.step, "done": now.done, "of": now.of });
            format!("{}\n", json!({ "progress": told }))
        } else if self.terminal && now.of > 0 {
            format!("\r\x1b[K{} {share} %", now.step)
        } else if self.terminal {
            format!("\r\x1b[K{} {}", now.step, now.done)
        } else {
            return;
        };
        // Nobody may be looking.
        let _ = stderr().write_all(line.as_bytes());
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        if self.terminal && !self.json && self.last.is_some() {
            let _ = stderr().write_all(b"\r\x1b[K");
        }
    }
}
