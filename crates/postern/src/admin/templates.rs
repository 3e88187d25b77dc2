//! Mail templates.

use std::sync::Arc;

use postern_core::flow::TemplateDraft;
use postern_core::model::{
    Language, MailKind, Snapshot, TemplateHead, TemplateKey, TemplateSource, Timestamp,
};

use super::execute::{Admin, Refusal};
use super::reply::AdminReply;
use super::template_command::{
    NewTemplate, TemplateCommand, TemplateName, TemplateText, WantedPreview, WantedVersion,
};
use super::template_reply::{
    FindingRow, TemplateRest, TemplateRow, TemplateSaved, TemplateShown, TemplateVersionRow,
};
use crate::mail::inbox::DevInbox;
use crate::mail::{Serving, built_in_source, in_force, in_turn, lint, preview, served_instead};
use crate::world::SystemClock;

/// A version that was asked for.
struct Found {
    /// Of which template.
    key: TemplateKey,
    /// The language in which its readers get it.
    language: Language,
    shown: TemplateShown,
}

impl Admin {
    /// Carries out one command on templates.
    pub(super) async fn templates(&self, command: TemplateCommand) -> Result<AdminReply, Refusal> {
        match command {
            TemplateCommand::List => {
                let told = |held: &Snapshot, _| AdminReply::Templates(rows(held));
                self.list(told).await
            }
            TemplateCommand::Show { template, version } => {
                let found = self.shown(&template, version).await?;
                Ok(AdminReply::Template(Box::new(found.shown)))
            }
            TemplateCommand::History { template } => self.history(&template).await,
            TemplateCommand::Lint { template, version } => {
                let Found { key, shown, .. } = self.shown(&template, version).await?;
                let findings = linted(&key, shown.source.into()).await?;
                Ok(AdminReply::TemplateLinted { findings })
            }
            TemplateCommand::Save(new) => self.save(*new).await,
            TemplateCommand::Use { template, version } => {
                let key = key(&template)?;
                self.now_held().await?;
                let head = self.postern.use_template(&key, version).await?;
                Ok(AdminReply::TemplateUsed(self.used(&head)))
            }
            TemplateCommand::Revert { template } => {
                let key = key(&template)?;
                self.now_held().await?;
                let head = self.postern.revert_template(&key).await?;
                Ok(AdminReply::TemplateUsed(self.used(&head)))
            }
            TemplateCommand::Preview(wanted) => self.preview(*wanted).await,
        }
    }

    /// A source, and how its readers get it.
    async fn shown(&self, name: &TemplateName, version: WantedVersion) -> Result<Found, Refusal> {
        let (key, snapshot) = (key(name)?, self.now_held().await?);
        let head = snapshot.template(&key);
        let served = || in_force(&key, &snapshot.templates, &snapshot.settings);
        let own = |number| {
            let (key, language) = (key.clone(), served().0.language);
            let language = key.language.clone().unwrap_or(language);
            (Serving { key, language }, number)
        };
        let (serving, number) = match (version, head) {
            (WantedVersion::Newest, Some(head)) => own(Some(head.newest)),
            (WantedVersion::Draft, Some(head)) if head.draft().is_some() => own(head.draft()),
            (WantedVersion::InForce | WantedVersion::Draft | WantedVersion::Newest, _) => served(),
            (WantedVersion::BuiltIn, _) => {
                let general = TemplateKey::of(key.kind);
                let (built_in, _) = in_force(&key, &[], &snapshot.settings);
                (
                    Serving {
                        key: general,
                        ..built_in
                    },
                    None,
                )
            }
            (WantedVersion::Number(number), _) => own(Some(number)),
        };
        let source = match number {
            Some(number) => {
                let version = self.postern.template_version(&serving.key, number);
                version.await?.source
            }
            None => built_in_source(key.kind),
        };
        let shown = TemplateShown {
            version: number,
            of: number.map(|_| serving.key.to_string()),
            newest: head.map_or(0, |head| head.newest),
            source: source.into(),
        };
        Ok(Found {
            key,
            language: serving.language,
            shown,
        })
    }

    async fn history(&self, name: &TemplateName) -> Result<AdminReply, Refusal> {
        let (key, snapshot) = (key(name)?, self.now_held().await?);
        let head = snapshot.template(&key);
        let entries = self.postern.template_history(&key).await?;
        let rows = entries.into_iter().map(|entry| TemplateVersionRow {
            version: entry.number,
            state: head.map_or("", |head| state(head, entry.number)).to_owned(),
            saved_at: entry.at.rfc3339(),
            saved_by: entry.by,
            note: entry.note,
            bytes: entry.bytes,
        });
        Ok(AdminReply::TemplateHistory(rows.collect()))
    }

    async fn save(&self, new: NewTemplate) -> Result<AdminReply, Refusal> {
        let Found { key, shown, .. } = self.shown(&new.template, new.rest).await?;
        let rest = self.rest(&key, &new, &shown);
        let source = TemplateSource {
            subject: new.subject.unwrap_or(shown.source.subject),
            html: new.html.unwrap_or(shown.source.html),
            text: new.text.unwrap_or(shown.source.text),
        };
        let findings = linted(&key, source.clone()).await?;
        let draft = TemplateDraft {
            key,
            source,
            seen: new.seen,
            note: new.note,
            activate: new.activate,
        };
        let saved = self.postern.save_template(draft).await?;
        Ok(AdminReply::TemplateSaved(TemplateSaved {
            version: saved.number,
            active: saved.active,
            findings,
            rest,
        }))
    }

    /// Which parts a version takes from what is there already.
    fn rest(
        &self,
        key: &TemplateKey,
        new: &NewTemplate,
        shown: &TemplateShown,
    ) -> Option<TemplateRest> {
        let given = [
            ("subject", &new.subject),
            ("html", &new.html),
            ("text", &new.text),
        ];
        let missing = given.into_iter().filter(|(_, part)| part.is_none());
        let parts: Vec<String> = missing.map(|(name, _)| name.to_owned()).collect();
        let snapshot = self.postern.snapshot();
        let draft = snapshot.template(key).and_then(TemplateHead::draft);
        (!parts.is_empty()).then(|| TemplateRest {
            parts,
            of: shown.called(),
            passed_over: draft.filter(|_| new.rest == WantedVersion::InForce),
        })
    }

    /// What is in force after a change.
    fn used(&self, head: &TemplateHead) -> TemplateRow {
        row(&head.key, &self.postern.snapshot())
    }

    async fn preview(&self, wanted: WantedPreview) -> Result<AdminReply, Refusal> {
        let Found {
            key,
            language,
            shown,
        } = self.shown(&wanted.template, wanted.version).await?;
        let held = self.postern.snapshot();
        let supplied: Vec<_> = wanted.variables.into_iter().collect();
        let (source, now) = (shown.source.into(), self.postern.now());
        let filled = in_turn(move || {
            let reader = (key.kind, &language);
            preview(reader, &source, &held.settings, now, &supplied)
        });
        let parts = filled.await?;
        let parts = parts.map_err(|problem| Refusal(problem.to_string()))?;
        if wanted.to_inbox {
            if !self.inbox_file.exists() {
                let told = "there is no development inbox here: `postern dev` makes one";
                return Err(Refusal(told.to_owned()));
            }
            let inbox = DevInbox::open(&self.inbox_file, Arc::new(SystemClock));
            let inbox = inbox.map_err(|error| Refusal(error.to_string()))?;
            let kept = inbox.show(&parts).await;
            kept.map_err(|error| Refusal(error.to_string()))?;
        }
        Ok(AdminReply::TemplatePreviewed(Box::new(TemplateText {
            subject: parts.subject,
            html: parts.html,
            text: parts.text,
        })))
    }
}

/// Where a version stands: `in force`, `before`, `draft` or `earlier`.
fn state(head: &TemplateHead, number: u32) -> &'static str {
    let number = Some(number);
    if head.active == number {
        return "in force";
    }
    if head.previous == number {
        return "before";
    }
    // What is newer than all that were put in force waits for it.
    if number > head.active.max(head.previous) {
        "draft"
    } else {
        "earlier"
    }
}

/// What lint says, on a thread that may take its time.
async fn linted(key: &TemplateKey, source: TemplateSource) -> Result<Vec<FindingRow>, Refusal> {
    let key = key.clone();
    let found = in_turn(move || lint(&key, &source)).await?;
    Ok(found.iter().map(FindingRow::from).collect())
}

fn key(name: &TemplateName) -> Result<TemplateKey, Refusal> {
    let kind = MailKind::parse(&name.kind).ok_or_else(|| {
        let known = MailKind::ALL.map(MailKind::as_str).join(", ");
        Refusal(format!("{:?} is no template: there are {known}", name.kind))
    })?;
    let read = |tag: &String| {
        Language::parse(tag).ok_or_else(|| Refusal(format!("{tag:?} is no language tag (BCP 47)")))
    };
    Ok(TemplateKey {
        kind,
        language: name.language.as_ref().map(read).transpose()?,
    })
}

/// Every kind for all languages, whether custom or not, and every custom one.
fn rows(snapshot: &Snapshot) -> Vec<TemplateRow> {
    let mut keys: Vec<TemplateKey> = MailKind::ALL.map(TemplateKey::of).to_vec();
    keys.extend(snapshot.templates.iter().map(|head| head.key.clone()));
    keys.sort();
    keys.dedup();
    keys.iter().map(|key| row(key, snapshot)).collect()
}

fn row(key: &TemplateKey, snapshot: &Snapshot) -> TemplateRow {
    let head = snapshot.template(key);
    let instead = served_instead(key, &snapshot.templates, &snapshot.settings);
    TemplateRow {
        template: key.kind.as_str().to_owned(),
        language: key.language.as_ref().map(ToString::to_string),
        version: head.and_then(|head| head.active),
        as_language: instead.map(|key| match key.language {
            Some(language) => language.to_string(),
            None => "all".to_owned(),
        }),
        draft: head.and_then(TemplateHead::draft),
        changed_at: head.map(|head| Timestamp::rfc3339(head.changed_at)),
        changed_by: head.map(|head| head.changed_by.clone()),
    }
}

impl From<TemplateSource> for TemplateText {
    fn from(source: TemplateSource) -> Self {
        Self {
            subject: source.subject,
            html: source.html,
            text: source.text,
        }
    }
}

impl From<TemplateText> for TemplateSource {
    fn from(text: TemplateText) -> Self {
        Self {
            subject: text.subject,
            html: text.html,
            text: text.text,
        }
    }
}
