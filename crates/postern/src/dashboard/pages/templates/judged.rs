//! What lint found lately.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest;
use postern_core::model::{TemplateKey, TemplateSource};

use crate::dashboard::trouble::Trouble;
use crate::mail::{Finding, in_turn, lint};

/// What lint finds. A version does not change, so that a page that is looked at again is not judged again.
pub(super) async fn judged(
    key: &TemplateKey,
    source: TemplateSource,
) -> Result<Vec<Finding>, Trouble> {
    let mark = mark(key, &source);
    if let Some(known) = JUDGED.get(&mark) {
        return Ok(known);
    }
    let key = key.clone();
    let findings = in_turn(move || lint(&key, &source)).await?;
    JUDGED.put(mark, findings.clone());
    Ok(findings)
}

/// Tells one source from another.
fn mark(key: &TemplateKey, source: &TemplateSource) -> Mark {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [
        &key.to_string(),
        &source.subject,
        &source.html,
        &source.text,
    ] {
        context.update(&part.len().to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut mark = Mark::default();
    mark.copy_from_slice(context.finish().as_ref());
    mark
}

type Mark = [u8; 32];

/// What was found lately, the newest last.
struct Judged(Mutex<VecDeque<(Mark, Vec<Finding>)>>);

static JUDGED: Judged = Judged(Mutex::new(VecDeque::new()));

impl Judged {
    /// How many are remembered: those that a few admins have open.
    const MOST: usize = 16;

    fn get(&self, mark: &Mark) -> Option<Vec<Finding>> {
        let held = self.held();
        let known = held.iter().find(|(known, _)| known == mark);
        known.map(|(_, findings)| findings.clone())
    }

    fn put(&self, mark: Mark, findings: Vec<Finding>) {
        let mut held = self.held();
        held.push_back((mark, findings));
        if held.len() > Self::MOST {
            held.pop_front();
        }
    }

    fn held(&self) -> MutexGuard<'_, VecDeque<(Mark, Vec<Finding>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use postern_core::model::MailKind;

    use super::*;

    fn marked(kind: MailKind, subject: &str, text: &str) -> Mark {
        let key = TemplateKey {
            kind,
            language: None,
        };
        let source = TemplateSource {
            subject: subject.to_owned(),
            html: String::new(),
            text: text.to_owned(),
        };
        mark(&key, &source)
    }

    #[test]
    fn a_source_is_known_by_all_of_it() {
        let one = marked(MailKind::SigninOtp, "a", "bc");
        assert_eq!(one, marked(MailKind::SigninOtp, "a", "bc"));
        assert_ne!(one, marked(MailKind::SigninOtp, "ab", "c"));
        assert_ne!(one, marked(MailKind::SignupOtp, "a", "bc"));
    }

    #[test]
    fn few_are_remembered_and_the_newest_of_them() {
        let judged = Judged(Mutex::default());
        for n in 0..=Judged::MOST {
            judged.put([u8::try_from(n).unwrap(); 32], Vec::new());
        }
        assert!(judged.get(&[0; 32]).is_none());
        assert!(judged.get(&[1; 32]).is_some());
    }
}
