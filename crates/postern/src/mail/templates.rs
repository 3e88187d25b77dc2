//! The templates of the mails: what they are called, what they may name, how they are filled.

mod built_in;
mod compiled;
mod context;
mod custom;
mod engine;
mod filling;
mod jet;

mod lines;
mod lint;
mod mjml;
mod parts;
mod pieces;
mod room;
mod samples;
mod serving;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use postern_core::error::{Error, Violation};
pub use postern_core::model::TemplateSource as Source;
use postern_core::model::{
    Language, Languages, MailKind, TemplateHead, TemplateKey, TemplateVersion, Variables,
};
use postern_core::ports;
use postern_core::settings::Settings;

use self::compiled::Compiled;
use self::custom::Custom;
use super::wording::Wording;
pub use engine::escape_html;
pub use jet::{Imported, Uncarried, import};
pub use lint::{Finding, Severity, lint};
pub use parts::{Fields, Part, Parts, TemplateError};
pub use room::in_turn;
pub use samples::{SAMPLE_CODE, SAMPLE_LINK, preview, sample, sentences};
pub use serving::{Serving, in_force, served_instead};

/// The variables that every mail has, supplied or not (contract §11). An optional one that nobody
/// supplied is empty.
pub const ALWAYS: [&str; 17] = [
    "app_name",
    "app_logo_url",
    "app_support_email",
    "app_color",
    "app_organization_meta_name",
    "organization_name",
    "user_name",
    "user_email",
    "expiry_time",
    "expire_time",
    "expiry_time_relative",
    "expiry_within",
    "requested_at",
    "language",
    "direction",
    "start",
    "subject",
];

/// The templates in force, compiled. A custom one is compiled once, when it comes into force.
#[derive(Debug)]
pub struct Templates {
    built_in: BTreeMap<MailKind, Arc<Compiled>>,
    custom: ArcSwap<Custom>,
}

/// The template for one reader.
#[derive(Debug)]
pub struct Chosen {
    /// The language of the mail.
    pub language: Language,
    /// The built-in wording that is closest to it.
    pub wording: &'static Wording,
    /// The custom template, and what the log calls it.
    custom: Option<(Arc<Compiled>, String)>,
    built_in: Arc<Compiled>,
}

/// Why a mail is the built-in one although there is a custom template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FellBack {
    /// Which template, with its version.
    pub template: String,
    /// Why.
    pub problem: TemplateError,
}

impl Templates {
    /// The built-in set.
    ///
    /// # Panics
    /// Never: a test fills every built-in template.
    pub fn built_in() -> Self {
        let sources = MailKind::ALL.map(|kind| (kind, built_in::source(kind)));
        Self::compile(&sources).expect("the built-in templates compile")
    }

    fn compile(sources: &[(MailKind, Source)]) -> Result<Self, TemplateError> {
        let compile = |(kind, source): &(MailKind, Source)| {
            Ok((*kind, Arc::new(Compiled::compile(*kind, source)?)))
        };
        Ok(Self {
            built_in: sources.iter().map(compile).collect::<Result<_, _>>()?,
            custom: ArcSwap::default(),
        })
    }

    /// Fills the built-in template of a kind.
    ///
    /// # Errors
    /// When a variable is missing, a bound is passed, or the subject would break its header.
    pub fn fill(&self, kind: MailKind, fields: &Fields) -> Result<Parts, TemplateError> {
        self.own(kind).fill(fields)
    }

    /// The template for a reader of `wanted`, by the rule of [`Serving`]; where no custom one is in
    /// force, the built-in one.
    pub fn choose(&self, kind: MailKind, wanted: &Languages, settings: &Settings) -> Chosen {
        let custom = self.custom.load();
        let Serving { key, language } = Serving::of(kind, custom.languages(kind), wanted, settings);
        let held = custom.find(&key);
        let held = held.and_then(|held| {
            let label = format!("{key}, version {}", held.number);
            Some((Arc::clone(held.compiled.as_ref()?), label))
        });
        Chosen {
            wording: Wording::in_language(&language),
            language,
            custom: held,
            built_in: Arc::clone(self.own(kind)),
        }
    }

    /// The built-in template for a reader of `wanted`.
    pub fn choose_built_in(
        &self,
        kind: MailKind,
        wanted: &Languages,
        settings: &Settings,
    ) -> Chosen {
        let wording = Wording::of(wanted, settings);
        Chosen {
            language: wording.language().clone(),
            wording,
            custom: None,
            built_in: Arc::clone(self.own(kind)),
        }
    }

    fn own(&self, kind: MailKind) -> &Arc<Compiled> {
        let found = self.built_in.get(&kind);
        found.expect("there is a built-in template of every kind")
    }
}

impl Chosen {
    /// Fills the mail. When the custom template cannot be filled, the built-in one is: a sign-in
    /// mail can always be sent.
    ///
    /// # Errors
    /// When the built-in template cannot be filled either.
    pub fn fill(&self, fields: &Fields) -> Result<(Parts, Option<FellBack>), TemplateError> {
        let Some((custom, template)) = &self.custom else {
            return Ok((self.built_in.fill(fields)?, None));
        };
        match custom.fill(fields) {
            Ok(parts) => Ok((parts, None)),
            Err(problem) => {
                let template = template.clone();
                let parts = self.built_in.fill(fields)?;
                Ok((parts, Some(FellBack { template, problem })))
            }
        }
    }

    fn compiled(&self) -> &Compiled {
        match &self.custom {
            Some((custom, _)) => custom,
            None => &self.built_in,
        }
    }
}

#[async_trait]
impl ports::Templates for Templates {
    fn missing(
        &self,
        kind: MailKind,
        wanted: &Languages,
        supplied: &Variables,
        settings: &Settings,
    ) -> Vec<String> {
        self.choose(kind, wanted, settings)
            .compiled()
            .missing(supplied)
    }

    async fn faults(&self, key: &TemplateKey, source: &Source) -> Result<Vec<Violation>, Error> {
        let (key, source) = (key.clone(), source.clone());
        let findings = in_turn(move || lint(&key, &source)).await?;
        Ok(findings.iter().filter_map(Finding::fault).collect())
    }

    fn wanting(&self, heads: &[TemplateHead]) -> Vec<(TemplateKey, u32)> {
        self.custom.load().wanting(heads)
    }

    async fn take_up(&self, heads: &[TemplateHead], found: Vec<TemplateVersion>) {
        let held = self.custom.load_full();
        if held.is(heads) {
            return;
        }
        let heads = heads.to_vec();
        let next = tokio::task::spawn_blocking(move || held.taking_up(&heads, found)).await;
        if let Ok(next) = next {
            self.custom.store(Arc::new(next));
        }
    }
}

/// The built-in template of a kind, as it is written.
pub fn built_in_source(kind: MailKind) -> Source {
    built_in::source(kind)
}

#[cfg(test)]
mod tests;
