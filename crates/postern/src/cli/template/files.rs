//! Templates in files.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::admin::read;
use super::super::args::{TemplateFiles, Which};
use super::super::exit::Failure;
use crate::admin::{NewTemplate, TemplateName, TemplateText, WantedVersion};
use crate::mail::Source;

/// Parts of a template, as they were given.
#[derive(Default)]
pub(super) struct Given {
    subject: Option<String>,
    html: Option<String>,
    text: Option<String>,
}

impl Given {
    pub(super) fn is_empty(&self) -> bool {
        self.subject.is_none() && self.html.is_none() && self.text.is_none()
    }

    /// All three.
    ///
    /// # Errors
    /// Which one is missing.
    pub(super) fn whole(self) -> Result<Source, String> {
        let missing = |flag: &str| format!("{flag} is missing: a template has three parts");
        Ok(Source {
            subject: self.subject.ok_or_else(|| missing("--subject"))?,
            html: self.html.ok_or_else(|| missing("--html"))?,
            text: self.text.ok_or_else(|| missing("--text"))?,
        })
    }

    /// As a version to save.
    pub(super) fn version(
        self,
        template: TemplateName,
        rest: WantedVersion,
        note: String,
        activate: bool,
    ) -> NewTemplate {
        NewTemplate {
            template,
            subject: self.subject,
            html: self.html,
            text: self.text,
            rest,
            seen: None,
            note,
            activate,
        }
    }
}

/// The parts that were typed or lie in a directory.
pub(super) fn parts(typed: &TemplateFiles, which: &Which) -> Result<Given, Failure> {
    if let Some(from) = &typed.from {
        return from_directory(from, which);
    }
    let content = |file: &PathBuf| read(file).map(|text| text.to_string());
    Ok(Given {
        subject: typed.subject.clone(),
        html: typed.html.as_ref().map(content).transpose()?,
        text: typed.text.as_ref().map(content).transpose()?,
    })
}

fn from_directory(from: &Path, which: &Which) -> Result<Given, Failure> {
    let [subject, text, mjml, html] = paths(from, which);
    let there = |file: &PathBuf| file.exists();
    let content = |file: PathBuf| read(&file).map(|text| text.to_string());
    let take = |file: PathBuf| Some(file).filter(there).map(content).transpose();
    let given = Given {
        subject: take(subject)?.map(|line| line.trim_end().to_owned()),
        text: take(text)?,
        html: match take(mjml)? {
            Some(mjml) => Some(mjml),
            None => take(html)?,
        },
    };
    if given.is_empty() {
        let stem = stem(which);
        let told = format!(
            "{} has no {stem}.subject.txt, {stem}.txt, {stem}.mjml or {stem}.html",
            from.display()
        );
        return Err(Failure::failed(told));
    }
    Ok(given)
}

/// Writes the three parts; answers where.
pub(super) fn write(
    to: &Path,
    which: &Which,
    source: &TemplateText,
) -> Result<[PathBuf; 3], Failure> {
    fs::create_dir_all(to)
        .map_err(|error| Failure::failed(format_args!("cannot make {}: {error}", to.display())))?;
    let [subject, text, mjml, html] = paths(to, which);
    let html = if source.html.trim_start().starts_with("<mjml") {
        mjml
    } else {
        html
    };
    put(
        &subject,
        format!("{}\n", source.subject.trim_end()).as_bytes(),
    )?;
    put(&text, source.text.as_bytes())?;
    put(&html, source.html.as_bytes())?;
    Ok([subject, text, html])
}

/// Writes one file.
pub(super) fn put(file: &Path, content: &[u8]) -> Result<(), Failure> {
    fs::write(file, content)
        .map_err(|error| Failure::failed(format_args!("cannot write {}: {error}", file.display())))
}

fn stem(which: &Which) -> String {
    match &which.language {
        Some(language) => format!("{}.{language}", which.template),
        None => which.template.clone(),
    }
}

fn paths(dir: &Path, which: &Which) -> [PathBuf; 4] {
    let stem = stem(which);
    ["subject.txt", "txt", "mjml", "html"].map(|end| dir.join(format!("{stem}.{end}")))
}
