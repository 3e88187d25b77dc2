//! The editor of one template.

use askama::Template;
use axum::response::Response;
use postern_core::error::{Error, Violation};
use postern_core::flow::TemplateDraft;
use postern_core::model::{
    Snapshot, TemplateEntry, TemplateHead, TemplateKey, TemplateSource, Timestamp,
};

use super::State;
use super::judged::judged;
use super::names::{address, key, title, variables};
use crate::dashboard::Dashboard;
use crate::dashboard::document::{Shell, go, html};
use crate::dashboard::fields::{Fields, query};
use crate::dashboard::route::Visit;
use crate::dashboard::shown;
use crate::dashboard::trouble::Trouble;
use crate::mail::wording::language_name;
use crate::mail::{Finding, Severity, built_in_source, in_force, sentences, wording};

/// A language's tag, and what it is called.
type Named = (String, String);

#[derive(Template)]
#[template(path = "template.html")]
struct Page {
    shell: Shell,
    id: &'static str,
    title: &'static str,
    /// The language that is edited; empty for all.
    tag: String,
    /// The languages that have a template of their own, and what they are called.
    tabs: Vec<Named>,
    /// What may be added.
    known: Vec<Named>,
    state: State,
    /// The version that the text comes from; none for the built-in one.
    version: Option<u32>,
    /// The same as the frame of the preview is asked for it; empty for what these readers get now.
    asked: String,
    /// The newest version when the page was made; 0 for none.
    seen: u32,
    source: TemplateSource,
    findings: Vec<Finding>,
    variables: Vec<(&'static str, &'static str)>,
    /// Postern's own sentences, and how they read.
    sentences: Vec<(String, String)>,
    history: Vec<Row>,
    can_revert: bool,
    /// Whether it was just kept as a draft that its errors keep from coming into force.
    held_back: bool,
    /// Who was here meanwhile.
    stale: String,
    wrong: Vec<Violation>,
    /// The language of the preview.
    reader: String,
    view: String,
}

#[derive(Template)]
#[template(path = "template_findings.html")]
struct Found {
    findings: Vec<Finding>,
}

/// One version in the history.
struct Row {
    number: u32,
    at: String,
    by: String,
    note: String,
    size: String,
    active: bool,
    previous: bool,
}

/// What was refused of a save.
#[derive(Default)]
struct Refused {
    stale: String,
    wrong: Vec<Violation>,
}

impl Page {
    fn is_view(&self, view: &str) -> bool {
        self.view == view || (self.view.is_empty() && view == "desktop")
    }

    fn errors(&self) -> usize {
        count(&self.findings)
    }

    #[expect(
        clippy::unused_self,
        reason = "templates call methods of what they show"
    )]
    fn is_error(&self, finding: &Finding) -> bool {
        finding.severity == Severity::Error
    }
}

impl Found {
    fn errors(&self) -> usize {
        count(&self.findings)
    }
}

fn count(findings: &[Finding]) -> usize {
    let errors = findings.iter();
    errors.filter(|one| one.severity == Severity::Error).count()
}

/// A version, ready to be edited.
pub(in crate::dashboard) async fn show(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.query)?;
    let (number, source) = asked(dashboard, &key, &visit.query).await?;
    page(
        dashboard,
        &visit,
        &key,
        (number, source),
        Refused::default(),
    )
    .await
}

/// Saves what was typed; what passes lint comes into force, if that was the button and the admin
/// proved lately who they are. Otherwise it is kept as a draft, and they are led to prove it.
pub(in crate::dashboard) async fn save(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let source = typed(&visit.form);
    let wanted = visit.form.get("do") != "draft";
    let activate = wanted && visit.signed_in()?.fresh;
    let draft = TemplateDraft {
        key: key.clone(),
        source: source.clone(),
        seen: Some(visit.form.get("seen").parse().unwrap_or(0)),
        note: "edited in the dashboard".to_owned(),
        activate,
    };
    let saved = dashboard
        .postern
        .acting(visit.me())
        .save_template(draft)
        .await;
    let refused = match saved {
        Ok(saved) if saved.active => return Ok(go(&address(&key, "template-used"))),
        Ok(saved) if wanted && !activate && saved.faults.is_empty() => {
            let to = address(&key, "template-waits");
            return Ok(go(&format!("/dashboard/prove?{}", query(&[("to", &to)]))));
        }
        Ok(_) if wanted => return Ok(go(&address(&key, "template-draft"))),
        Ok(_) => return Ok(go(&address(&key, "template-kept"))),
        Err(Error::Invalid(wrong)) if wrong.iter().any(|one| one.constraint == "stale") => {
            Refused {
                stale: wrong
                    .first()
                    .map(|one| one.description.clone())
                    .unwrap_or_default(),
                wrong: Vec::new(),
            }
        }
        Err(Error::Invalid(wrong)) => Refused {
            stale: String::new(),
            wrong,
        },
        Err(other) => return Err(other.into()),
    };
    page(dashboard, &visit, &key, (None, source), refused).await
}

/// Lint of what is typed, while it is typed.
pub(in crate::dashboard) async fn findings(
    _: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let findings = judged(&key, typed(&visit.form)).await?;
    Ok(html(&Found { findings }))
}

/// Puts a version in force, or the built-in template.
pub(in crate::dashboard) async fn use_version(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let number = match visit.form.get("version") {
        "built-in" => None,
        number => Some(number.parse().map_err(|_| Trouble::NotFound)?),
    };
    let postern = dashboard.postern.acting(visit.me());
    postern.use_template(&key, number).await?;
    Ok(go(&address(&key, "template-used")))
}

/// Puts in force what was before.
pub(in crate::dashboard) async fn revert(
    dashboard: &Dashboard,
    visit: Visit,
) -> Result<Response, Trouble> {
    let key = key(&visit.path, &visit.form)?;
    let postern = dashboard.postern.acting(visit.me());
    postern.revert_template(&key).await?;
    Ok(go(&address(&key, "template-reverted")))
}

async fn page(
    dashboard: &Dashboard,
    visit: &Visit,
    key: &TemplateKey,
    (version, source): (Option<u32>, TemplateSource),
    refused: Refused,
) -> Result<Response, Trouble> {
    let snapshot = dashboard.postern.snapshot();
    let head = snapshot.template(key);
    let history = dashboard.postern.template_history(key).await?;
    let given = if visit.form.pairs().is_empty() {
        &visit.query
    } else {
        &visit.form
    };
    let (tabs, known) = languages(&snapshot, key);
    let mut shell = Shell::of(dashboard, visit);
    // Who changes nothing need not wait for it.
    let findings = if shell.owner {
        judged(key, source.clone()).await?
    } else {
        Vec::new()
    };
    let kept = ["template-draft", "template-kept"].contains(&visit.query.get("done"));
    let held_back = kept && count(&findings) > 0;
    if held_back {
        // The page tells it itself, with what is wrong.
        shell.done = "";
    }
    Ok(html(&Page {
        id: key.kind.as_str(),
        title: title(key.kind),
        tag: key.tag(),
        tabs,
        known,
        state: State::of(key, &snapshot),
        version,
        asked: match (version, visit.query.get("version")) {
            (Some(number), _) => number.to_string(),
            (None, "built-in") => "built-in".to_owned(),
            (None, _) => String::new(),
        },
        seen: head.map_or(0, |head| head.newest),
        findings,
        held_back,
        source,
        variables: variables(key.kind),
        sentences: said(&snapshot, key, dashboard.postern.now()),
        history: history.iter().map(|entry| row(entry, head)).collect(),
        can_revert: head.is_some_and(|head| head.active != head.previous),
        stale: refused.stale,
        wrong: refused.wrong,
        reader: given.get("reader").to_owned(),
        view: given.get("view").to_owned(),
        shell,
    }))
}

/// The languages that have a template of this kind, with the one that is edited; and the others.
fn languages(held: &Snapshot, key: &TemplateKey) -> (Vec<Named>, Vec<Named>) {
    let named = |tag: String| (tag.clone(), language_name(&tag).to_owned());
    let mut tags: Vec<String> = held
        .templates
        .iter()
        .filter(|head| head.key.kind == key.kind && head.key.language.is_some())
        .map(|head| head.key.tag())
        .chain(key.language.as_ref().map(ToString::to_string))
        .collect();
    tags.sort();
    tags.dedup();
    let known = wording::languages().iter().map(ToString::to_string);
    let rest = known.map(named).collect();
    (tags.into_iter().map(named).collect(), rest)
}

/// The built-in sentences, in the language that is edited or else the default one.
fn said(held: &Snapshot, key: &TemplateKey, now: Timestamp) -> Vec<(String, String)> {
    let settings = &held.settings;
    let language = key.language.as_ref();
    let language = language.unwrap_or(&settings.default_language);
    sentences((key.kind, language), settings, now).unwrap_or_default()
}

fn row(entry: &TemplateEntry, head: Option<&TemplateHead>) -> Row {
    let is = |number: Option<u32>| number == Some(entry.number);
    Row {
        number: entry.number,
        at: shown::at(entry.at),
        by: entry.by.clone(),
        note: entry.note.clone(),
        size: format!("{} KB", entry.bytes.div_ceil(1024)),
        active: is(head.and_then(|head| head.active)),
        previous: is(head.and_then(|head| head.previous)),
    }
}

/// The version of a template that an address names, with its source: the draft when it names none, else the
/// one in force, and without either what its readers get instead.
pub(super) async fn asked(
    dashboard: &Dashboard,
    key: &TemplateKey,
    query: &Fields,
) -> Result<(Option<u32>, TemplateSource), Trouble> {
    let held = dashboard.postern.snapshot();
    let newest = held
        .template(key)
        .and_then(|head| head.draft().or(head.active));
    let number = match query.get("version") {
        "built-in" => return Ok((None, built_in_source(key.kind))),
        "" => newest,
        number => number.parse().ok().or(newest),
    };
    if number.is_some() {
        return Ok((number, source_of(dashboard, key, number).await?));
    }
    let (serving, active) = in_force(key, &held.templates, &held.settings);
    Ok((None, source_of(dashboard, &serving.key, active).await?))
}

/// A version's source, or the built-in one.
async fn source_of(
    dashboard: &Dashboard,
    key: &TemplateKey,
    number: Option<u32>,
) -> Result<TemplateSource, Trouble> {
    match number {
        None => Ok(built_in_source(key.kind)),
        Some(number) => {
            let found = dashboard.postern.template_version(key, number).await;
            Ok(found.map_err(|_| Trouble::NotFound)?.source)
        }
    }
}

/// What is in the form. Browsers send lines with CR LF.
pub(super) fn typed(form: &Fields) -> TemplateSource {
    let text = |name: &str| {
        let found = form.pairs().iter().find(|(key, _)| key == name);
        found.map_or(String::new(), |(_, text)| text.replace("\r\n", "\n"))
    };
    TemplateSource {
        subject: text("subject").trim().to_owned(),
        html: text("html"),
        text: text("text"),
    }
}

#[cfg(test)]
mod tests {
    use postern_core::model::MailKind;

    use super::*;

    #[test]
    fn lines_of_a_form_are_read_as_they_were_written() {
        let form = Fields::urlencoded(b"subject=+a+&html=%3Cp%3E%0D%0A&text=b%0D%0Ac");
        let source = typed(&form);
        assert_eq!(
            (&*source.subject, &*source.html, &*source.text),
            ("a", "<p>\n", "b\nc")
        );
    }

    #[test]
    fn variables_are_those_of_the_kind() {
        let names =
            |kind| -> Vec<_> { variables(kind).into_iter().map(|(name, _)| name).collect() };
        assert!(names(MailKind::SigninOtp).contains(&"otp"));
        assert!(!names(MailKind::SigninOtp).contains(&"link"));
        assert!(names(MailKind::SignupLink).contains(&"link"));
    }
}
