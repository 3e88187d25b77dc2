//! What was said on a connection, for the admin who tries a provider out.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::mail::outcome::{holds_piece, is_prose, is_unseen};

/// The most lines that are kept, and the most characters of each.
const MOST_LINES: usize = 200;
const LONGEST: usize = 400;

/// Records a dialogue, or, as with every mail but a test, does not.
///
/// What belongs to a login is never on it, in whatever direction it went; of the message there is
/// the size.
#[derive(Clone, Default)]
pub struct Tape(Option<Arc<Mutex<Recording>>>);

#[derive(Default)]
struct Recording {
    secrets: Vec<String>,
    lines: Vec<String>,
    /// A line of the server that has not ended.
    begun: Vec<u8>,
    under_way: UnderWay,
}

/// What our next bytes are.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum UnderWay {
    #[default]
    Commands,
    Login,
    Message,
}

impl Tape {
    /// A tape that records, with what the login consists of.
    pub fn recording(secrets: Vec<String>) -> Self {
        Self(Some(Arc::new(Mutex::new(Recording {
            secrets,
            ..Recording::default()
        }))))
    }

    /// The dialogue: `C:` is what we said, `S:` what the server said, `--` what happened.
    pub fn lines(&self) -> Vec<String> {
        let Some(mut recording) = self.recording_on() else {
            return Vec::new();
        };
        let begun = std::mem::take(&mut recording.begun);
        if !begun.is_empty() {
            recording.heard_line(&begun);
        }
        recording.lines.clone()
    }

    pub(super) fn note(&self, text: impl FnOnce() -> String) {
        if let Some(mut recording) = self.recording_on() {
            recording.push("--", &text());
        }
    }

    /// What is recorded from now on does not show these either.
    pub(super) fn hide(&self, secrets: Vec<String>) {
        if let Some(mut recording) = self.recording_on() {
            recording.secrets.extend(secrets);
        }
    }

    pub(super) fn said(&self, bytes: &[u8]) {
        if let Some(mut recording) = self.recording_on() {
            recording.said(bytes);
        }
    }

    pub(super) fn heard(&self, bytes: &[u8]) {
        if let Some(mut recording) = self.recording_on() {
            recording.heard(bytes);
        }
    }

    fn recording_on(&self) -> Option<MutexGuard<'_, Recording>> {
        let recording = self.0.as_ref()?;
        Some(recording.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tape(…)")
    }
}

impl Recording {
    fn said(&mut self, bytes: &[u8]) {
        if self.under_way == UnderWay::Message {
            return self.push("C:", &format!("(the message, {} bytes)", bytes.len()));
        }
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line);
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            let mut words = line.split(' ');
            if self.under_way == UnderWay::Login {
                self.push("C:", "***");
            } else if words
                .next()
                .is_some_and(|verb| verb.eq_ignore_ascii_case("AUTH"))
            {
                self.under_way = UnderWay::Login;
                let mechanism = words.next().unwrap_or_default().to_owned();
                let rest = if words.next().is_some() { " ***" } else { "" };
                self.push("C:", &format!("AUTH {mechanism}{rest}"));
            } else {
                self.push("C:", line);
            }
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.begun);
                self.heard_line(&line);
            } else if self.begun.len() < LONGEST * 4 {
                self.begun.push(*byte);
            }
        }
    }

    fn heard_line(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let mut line = line.trim_end().to_owned();
        if self.under_way == UnderWay::Login {
            line = plain_words(&line);
        }
        self.under_way = match line.get(..3) {
            Some("334") => self.under_way,
            // The answer goes on: its next line belongs to the same.
            _ if line.as_bytes().get(3) == Some(&b'-') => self.under_way,
            Some("354") => UnderWay::Message,
            _ => UnderWay::Commands,
        };
        self.push("S:", &line);
    }

    fn push(&mut self, who: &str, text: &str) {
        if self.lines.len() >= MOST_LINES {
            return;
        }
        let secret = |word: &str| self.secrets.iter().any(|one| holds_piece(word, one));
        let word = |word| if secret(word) { "***" } else { word };
        let text: Vec<&str> = text.split(' ').map(word).collect();
        let plain = |c: char| if is_unseen(c) { ' ' } else { c };
        let text = text
            .join(" ")
            .chars()
            .map(plain)
            .take(LONGEST)
            .collect::<String>();
        self.lines.push(format!("{who} {text}"));
    }
}

/// The code of a reply with its plain words: the server was told a secret just before, which may be a
/// token that nobody knew when the tape began.
fn plain_words(line: &str) -> String {
    let mut words = line.split(' ');
    let code = words.next().unwrap_or_default().to_owned();
    words.fold(code, |mut told, word| {
        told.push(' ');
        told.push_str(if is_prose(word) { word } else { "***" });
        told
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_masked_whatever_the_mechanism_and_whoever_repeats_it() {
        let tape = Tape::recording(vec!["hunter2hunter2".into(), "aHVudGVyMg==".into()]);
        tape.said(b"AUTH PLAIN aHVudGVyMg==\r\n");
        tape.heard(b"535 5.7.8 hunter2hunter2 is ");
        tape.heard(b"wrong\r\n");
        tape.said(b"AUTH LOGIN\r\n");
        tape.heard(b"334 VXNlcm5hbWU6\r\n");
        tape.said(b"bmFtZQ==\r\n");
        tape.heard(b"334 UGFzc3dvcmQ6\r\n");
        tape.said(b"aHVudGVyMg==\r\n");
        tape.heard(b"235 welcome\r\n");
        tape.said(b"QUIT\r\n");
        let told = [
            "C: AUTH PLAIN ***",
            "S: 535 5.7.8 *** is wrong",
            "C: AUTH LOGIN",
            "S: 334 ***",
            "C: ***",
            "S: 334 ***",
            "C: ***",
            "S: 235 welcome",
            "C: QUIT",
        ];
        assert_eq!(tape.lines(), told);
    }

    #[test]
    fn what_becomes_known_while_it_runs_is_masked_from_then_on() {
        let tape = Tape::recording(Vec::new());
        tape.heard(b"250 hello\r\n");
        tape.hide(vec!["first-token".into()]);
        tape.heard(b"550 no sender for first-token \xe2\x80\xaenow\r\n");
        let told = ["S: 250 hello", "S: 550 no sender for ***  now"];
        assert_eq!(tape.lines(), told);
    }

    #[test]
    fn of_a_message_there_is_its_size_and_of_an_endless_server_a_beginning() {
        let tape = Tape::recording(Vec::new());
        tape.said(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n");
        tape.heard(b"250 ok\r\n250 ok\r\n354 go on\r\n");
        tape.said(b"Subject: x\r\n\r\nyour code 482913\r\n.\r\n");
        tape.heard(b"250 taken");
        let lines = tape.lines();
        assert_eq!(lines[6], "C: (the message, 35 bytes)");
        assert_eq!(lines[7], "S: 250 taken");
        for _ in 0..1000 {
            tape.heard(&[b'x'; 1000]);
            tape.heard(b"\n");
        }
        assert_eq!(tape.lines().len(), MOST_LINES);
        assert!(tape.lines().iter().all(|line| line.len() <= LONGEST + 3));
    }

    #[test]
    fn a_tape_that_does_not_record_keeps_nothing() {
        let tape = Tape::default();
        tape.said(b"EHLO x\r\n");
        assert_eq!(tape.lines(), Vec::<String>::new());
        assert_eq!(format!("{tape:?}"), "Tape(…)");
    }
}
