//! The custom templates in force.

use std::collections::BTreeMap;
use std::sync::Arc;

use postern_core::model::{Language, MailKind, TemplateHead, TemplateKey, TemplateVersion};
use tracing::warn;

use super::compiled::Compiled;

/// The custom templates in force on this node.
#[derive(Debug, Default)]
pub(super) struct Custom {
    held: BTreeMap<TemplateKey, Held>,
    languages: BTreeMap<MailKind, Vec<Language>>,
}

/// A version in force.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) number: u32,
    /// None when this release cannot compile it: the built-in template serves instead.
    pub(super) compiled: Option<Arc<Compiled>>,
}

impl Custom {
    /// The template of this key, if one is in force.
    pub(super) fn find(&self, key: &TemplateKey) -> Option<&Held> {
        self.held.get(key)
    }

    /// The languages that a kind has a template of its own for.
    pub(super) fn languages(&self, kind: MailKind) -> &[Language] {
        self.languages.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// The versions in force that are not held.
    pub(super) fn wanting(&self, heads: &[TemplateHead]) -> Vec<(TemplateKey, u32)> {
        let active = heads
            .iter()
            .filter_map(|head| Some((&head.key, head.active?)));
        active
            .filter(|(key, number)| self.held.get(key).is_none_or(|held| held.number != *number))
            .map(|(key, number)| (key.clone(), number))
            .collect()
    }

    /// Whether exactly what `heads` says is held.
    pub(super) fn is(&self, heads: &[TemplateHead]) -> bool {
        let active = heads.iter().filter(|head| head.active.is_some()).count();
        self.wanting(heads).is_empty() && active == self.held.len()
    }

    /// What `heads` says, of what is held and what was found. What was not found stays as it is.
    pub(super) fn taking_up(&self, heads: &[TemplateHead], found: Vec<TemplateVersion>) -> Self {
        let mut found: BTreeMap<_, _> = found
            .into_iter()
            .map(|version| ((version.key.clone(), version.number), version))
            .collect();
        let mut next = Self::default();
        for head in heads {
            let Some(number) = head.active else { continue };
            let kept = self.held.get(&head.key);
            let held = match found.remove(&(head.key.clone(), number)) {
                Some(version) => Some(compile(&version)),
                None => kept.cloned(),
            };
            if let Some(held) = held {
                if let Some(language) = &head.key.language {
                    let languages = next.languages.entry(head.key.kind).or_default();
                    languages.push(language.clone());
                }
                next.held.insert(head.key.clone(), held);
            }
        }
        next
    }
}

fn compile(version: &TemplateVersion) -> Held {
    let compiled = Compiled::compile(version.key.kind, &version.source);
    if let Err(problem) = &compiled {
        warn!(template = %version.key, version = version.number, %problem, "a template is left out");
    }
    Held {
        number: version.number,
        compiled: compiled.ok().map(Arc::new),
    }
}
