//! What commands on templates tell people.

use std::path::PathBuf;

use serde_json::json;

use super::super::exit::Failure;
use super::super::show::{self, table};
use crate::admin::{
    FindingRow, TemplateRest, TemplateRow, TemplateSaved, TemplateShown, TemplateVersionRow,
};

/// Every kind of mail.
pub(in crate::cli) fn list(rows: &[TemplateRow]) -> String {
    let cells = |row: &TemplateRow| {
        vec![
            row.template.clone(),
            row.language.clone().unwrap_or_else(|| "all".to_owned()),
            in_force(row),
            row.draft
                .map_or(String::new(), |draft| format!("version {draft}")),
            row.changed_at.clone().unwrap_or_default(),
            row.changed_by.clone().unwrap_or_default(),
        ]
    };
    let head = ["TEMPLATE", "LANGUAGE", "IN FORCE", "DRAFT", "CHANGED", "BY"];
    table(&head, rows.iter().map(cells))
}

fn in_force(row: &TemplateRow) -> String {
    match (row.version, row.as_language.as_deref()) {
        (Some(number), _) => format!("version {number}"),
        (None, Some("all")) => "as all languages".to_owned(),
        (None, Some(language)) => format!("as {language}"),
        (None, None) => "built-in".to_owned(),
    }
}

/// What is in force now.
pub(in crate::cli) fn used(row: &TemplateRow) -> String {
    let language = row
        .language
        .as_ref()
        .map_or(String::new(), |tag| format!(" ({tag})"));
    let what = match row.as_language.as_deref() {
        Some("all") => "its readers get the template for all languages".to_owned(),
        Some(other) => format!("its readers get the template for {other}"),
        None => format!("{} is in force", in_force(row)),
    };
    format!(
        "{}{language}: {what}, on every node within 2 s\n",
        row.template
    )
}

/// A source.
pub(in crate::cli) fn shown(shown: &TemplateShown) -> String {
    let which = shown
        .version
        .map_or("built-in".to_owned(), |number| format!("version {number}"));
    let of = shown
        .of
        .as_ref()
        .map_or(String::new(), |of| format!(" of {of}"));
    let source = &shown.source;
    format!(
        "--- {which}{of}\n--- subject\n{}\n--- text\n{}\n--- html\n{}\n",
        source.subject.trim_end(),
        source.text.trim_end(),
        source.html.trim_end()
    )
}

/// The versions of a template.
pub(in crate::cli) fn history(rows: &[TemplateVersionRow]) -> String {
    if rows.is_empty() {
        return "the built-in template: there is no version yet\n".to_owned();
    }
    let cells = |row: &TemplateVersionRow| {
        vec![
            row.version.to_string(),
            row.state.clone(),
            row.saved_at.clone(),
            row.saved_by.clone(),
            row.bytes.to_string(),
            row.note.clone(),
        ]
    };
    let head = ["VERSION", "STATE", "SAVED", "BY", "BYTES", "NOTE"];
    table(&head, rows.iter().map(cells))
}

/// What lint says.
pub(in crate::cli) fn linted(findings: &[FindingRow]) -> String {
    if findings.is_empty() {
        return "nothing is wrong with it\n".to_owned();
    }
    findings.iter().map(finding).collect()
}

/// Fails when there are errors.
///
/// # Errors
/// How many there are to mend.
pub(super) fn mended(findings: &[FindingRow]) -> Result<(), Failure> {
    let errors = findings.iter().filter(|one| one.severity == "error");
    match errors.count() {
        0 => Ok(()),
        errors => Err(Failure::failed(format_args!("{errors} to mend"))),
    }
}

fn finding(one: &FindingRow) -> String {
    let line = one.line.map_or(String::new(), |line| format!(":{line}"));
    format!(
        "{}{line}: {}: {} [{}]\n",
        one.part, one.severity, one.message, one.rule
    )
}

/// What became of a save.
pub(in crate::cli) fn saved(saved: &TemplateSaved) -> String {
    let told = if saved.active {
        "is in force, on every node within 2 s"
    } else {
        "is kept as a draft"
    };
    let findings: String = saved.findings.iter().map(finding).collect();
    let rest = saved.rest.as_ref().map(rest).unwrap_or_default();
    format!("{findings}{rest}version {} {told}\n", saved.version)
}

/// Whose the parts are that were not given.
fn rest(rest: &TemplateRest) -> String {
    let are = if rest.parts.len() == 1 {
        "is that"
    } else {
        "are those"
    };
    let parts = rest.parts.join(" and ");
    let passed_over = rest.passed_over.map_or(String::new(), |number| {
        format!(
            "; version {number} is a draft and was passed over: --version draft takes them from it"
        )
    });
    format!("{parts} {are} of {}{passed_over}\n", rest.of)
}

/// Which files were written.
pub(super) fn written(files: &[PathBuf], json: bool) -> Result<(), Failure> {
    let names: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    if json {
        return show::json(&json!({ "written": names }));
    }
    show::text(&(names.join("\n") + "\n"))
}
