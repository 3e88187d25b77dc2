use std::sync::Arc;

use super::Postern;
use crate::error::{Error, Violation};
use crate::model::{
    Snapshot, TemplateEntry, TemplateHead, TemplateKey, TemplateSource, TemplateVersion, Timestamp,
};
use crate::ports::Amendment;

/// The most custom templates, each of one kind and language.
pub const MAX_TEMPLATES: usize = 240;
/// The versions of one template that are kept, besides that in force and the one before it.
pub const VERSIONS_KEPT: u32 = 20;
/// The longest note, in characters.
const MAX_NOTE: usize = 200;

/// A template as an admin saves it.
#[derive(Clone, Debug)]
pub struct TemplateDraft {
    /// Which template.
    pub key: TemplateKey,
    /// What it reads.
    pub source: TemplateSource,
    /// The newest version that the admin had seen, 0 when there was none: a save on top of another
    /// is refused. Without it, whatever is there is passed over.
    pub seen: Option<u32>,
    /// What was done, for the history.
    pub note: String,
    /// Whether it comes into force, if nothing keeps it from that.
    pub activate: bool,
}

/// What became of a save.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedTemplate {
    /// The number of the version.
    pub number: u32,
    /// Whether it is in force.
    pub active: bool,
    /// What keeps it from that.
    pub faults: Vec<Violation>,
}

impl Postern {
    /// Saves a version of a template. One with faults is kept as a draft; what was in force stays.
    /// Saving what is the newest version already makes no new one.
    ///
    /// # Errors
    /// It is too long, somebody else has saved meanwhile (constraint `stale`), there are
    /// [`MAX_TEMPLATES`] already, or a store that does not answer.
    pub async fn save_template(&self, draft: TemplateDraft) -> Result<SavedTemplate, Error> {
        let wrong = draft.source.unkeepable();
        if !wrong.is_empty() {
            return Err(Error::Invalid(wrong));
        }
        let faults = self.templates.faults(&draft.key, &draft.source).await?;
        let wanted = draft.activate && faults.is_empty();
        if let Some(number) = self.newest_if_same(&draft).await? {
            if wanted {
                self.put_in_force(&draft.key, Some(number)).await?;
            }
            return Ok(self.saved(&draft.key, number, faults));
        }
        let (by, key) = (self.actor.to_string(), draft.key.clone());
        let rule = move |held: &Snapshot, now| keep(held, &draft, wanted, &by, now);
        let after = self.amend(Box::new(rule)).await?;
        let number = after.template(&key).map_or(0, |head| head.newest);
        Ok(self.saved(&key, number, faults))
    }

    /// Puts a version in force; without a number, the built-in template.
    ///
    /// # Errors
    /// There is no such version, or every fault that keeps it from coming into force.
    pub async fn use_template(
        &self,
        key: &TemplateKey,
        number: Option<u32>,
    ) -> Result<TemplateHead, Error> {
        if let Some(number) = number {
            let version = self.template_version(key, number).await?;
            let faults = self.templates.faults(key, &version.source).await?;
            if !faults.is_empty() {
                return Err(Error::Invalid(faults));
            }
        }
        self.put_in_force(key, number).await
    }

    /// Brings back what was in force before; a second revert undoes the first.
    ///
    /// # Errors
    /// Nothing was ever changed, or what was in force before is not fit any more.
    pub async fn revert_template(&self, key: &TemplateKey) -> Result<TemplateHead, Error> {
        let snapshot = self.snapshot();
        let head = snapshot.template(key).ok_or_else(|| no_template(key))?;
        if head.active == head.previous {
            let told = format!("{key} has had one form only: there is nothing to go back to");
            return Err(Error::invalid("version", "exists", told));
        }
        self.use_template(key, head.previous).await
    }

    /// One version of a template.
    ///
    /// # Errors
    /// There is no such version, or a store that does not answer.
    pub async fn template_version(
        &self,
        key: &TemplateKey,
        number: u32,
    ) -> Result<TemplateVersion, Error> {
        let found = self.store.template_version(key, number).await?;
        found.ok_or_else(|| no_version(key, number))
    }

    /// The versions of a template that are kept, newest first.
    ///
    /// # Errors
    /// A store that does not answer.
    pub async fn template_history(&self, key: &TemplateKey) -> Result<Vec<TemplateEntry>, Error> {
        Ok(self.store.template_history(key).await?)
    }

    /// Takes the templates that the snapshot says are in force into force on this node.
    ///
    /// # Errors
    /// A store that does not answer; what was in force stays.
    pub async fn follow_templates(&self) -> Result<(), Error> {
        let snapshot = self.snapshot();
        let mut found = Vec::new();
        for (key, number) in self.templates.wanting(&snapshot.templates) {
            found.extend(self.store.template_version(&key, number).await?);
        }
        self.templates.take_up(&snapshot.templates, found).await;
        Ok(())
    }

    async fn newest_if_same(&self, draft: &TemplateDraft) -> Result<Option<u32>, Error> {
        let snapshot = self.snapshot();
        let Some(head) = snapshot.template(&draft.key) else {
            return Ok(None);
        };
        let newest = self
            .store
            .template_version(&draft.key, head.newest)
            .await?
            .filter(|newest| newest.source == draft.source);
        Ok(newest.map(|newest| newest.number))
    }

    async fn put_in_force(
        &self,
        key: &TemplateKey,
        number: Option<u32>,
    ) -> Result<TemplateHead, Error> {
        let (wanted, by) = (key.clone(), self.actor.to_string());
        let rule = move |snapshot: &Snapshot, now| {
            let head = snapshot
                .template(&wanted)
                .filter(|head| number.is_none_or(|number| number <= head.newest));
            let head = head.ok_or_else(|| no_template(&wanted))?;
            if head.active == number {
                return Ok(Vec::new());
            }
            let changed = in_force(head, number, &by, now);
            Ok(vec![Amendment::PutTemplateHead(changed)])
        };
        let after: Arc<Snapshot> = self.amend(Box::new(rule)).await?;
        let head = after.template(key).ok_or_else(|| no_template(key))?;
        Ok(head.clone())
    }

    fn saved(&self, key: &TemplateKey, number: u32, faults: Vec<Violation>) -> SavedTemplate {
        let snapshot = self.snapshot();
        let active = snapshot.template(key).and_then(|head| head.active);
        SavedTemplate {
            number,
            active: active == Some(number),
            faults,
        }
    }
}

/// The amendments of a save.
fn keep(
    snapshot: &Snapshot,
    draft: &TemplateDraft,
    activate: bool,
    by: &str,
    now: Timestamp,
) -> Result<Vec<Amendment>, Error> {
    let key = &draft.key;
    let head = snapshot.template(key);
    let newest = head.map_or(0, |head| head.newest);
    if draft.seen.is_some_and(|seen| seen != newest) {
        return Err(overtaken(head, newest));
    }
    if head.is_none() && snapshot.templates.len() >= MAX_TEMPLATES {
        let told = format!("there are {MAX_TEMPLATES} custom templates already");
        return Err(Error::invalid("language", "max_items", told));
    }
    let number = newest + 1;
    let before = head.cloned().unwrap_or_else(|| TemplateHead {
        key: key.clone(),
        active: None,
        previous: None,
        newest,
        changed_at: now,
        changed_by: by.to_owned(),
    });
    let active = if activate {
        Some(number)
    } else {
        before.active
    };
    let after = TemplateHead {
        newest: number,
        ..in_force(&before, active, by, now)
    };
    let but = [after.active, after.previous]
        .into_iter()
        .flatten()
        .collect();
    Ok(vec![
        Amendment::PutTemplateVersion(Box::new(TemplateVersion {
            key: key.clone(),
            number,
            source: draft.source.clone(),
            at: now,
            by: by.to_owned(),
            note: draft.note.chars().take(MAX_NOTE).collect(),
        })),
        Amendment::PutTemplateHead(after),
        Amendment::PruneTemplate {
            key: key.clone(),
            below: (number + 1).saturating_sub(VERSIONS_KEPT),
            but,
        },
    ])
}

/// The head with `active` in force; what was before it is remembered.
fn in_force(head: &TemplateHead, active: Option<u32>, by: &str, now: Timestamp) -> TemplateHead {
    TemplateHead {
        previous: if head.active == active {
            head.previous
        } else {
            head.active
        },
        active,
        changed_at: now,
        changed_by: by.to_owned(),
        ..head.clone()
    }
}

fn overtaken(head: Option<&TemplateHead>, newest: u32) -> Error {
    let who = head.map_or("somebody", |head| head.changed_by.as_str());
    let told = format!("{who} has saved version {newest} since you opened this template");
    Error::invalid("version", "stale", told)
}

fn no_template(key: &TemplateKey) -> Error {
    let told = format!("there is no custom template {key}");
    Error::invalid("template", "exists", told)
}

fn no_version(key: &TemplateKey, number: u32) -> Error {
    let told = format!("there is no version {number} of {key}: see its history");
    Error::invalid("version", "exists", told)
}
