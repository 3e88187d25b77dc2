//! `postern template import`

use serde_json::{Value, json};

use super::super::args::{StoreArgs, TemplateFiles, Which};
use super::super::exit::Failure;
use super::super::show::{self, counted};
use super::{ask, files, key, name, told, usage};
use crate::admin::{AdminReply, FindingRow, NewTemplate, TemplateCommand as Asked, WantedVersion};
use crate::mail::{self, Imported, Uncarried};

/// Carries the files over, tells how that went and what lint says of it, and saves the result unless
/// something got lost.
pub(super) fn run(
    which: &Which,
    typed: &TemplateFiles,
    (check, draft): (bool, bool),
    store: &StoreArgs,
    json: bool,
) -> Result<(), Failure> {
    let key = key(which)?;
    let jet = files::parts(typed, which)?.whole();
    let made = mail::import(key.kind, &jet.map_err(|told| usage(&told))?);
    let lost = made.uncarried.len();
    let saved = if !check && (lost == 0 || draft) {
        Some(save(which, &made, draft || lost > 0, store)?)
    } else {
        None
    };
    let findings: Vec<FindingRow> = match &saved {
        Some(_) => Vec::new(),
        None => mail::lint(&key, &made.source)
            .iter()
            .map(FindingRow::from)
            .collect(),
    };
    tell(&made, &findings, saved.as_ref(), (check, json))?;
    match &saved {
        None => judge(lost, &findings),
        Some(AdminReply::TemplateSaved(saved)) if !saved.active && !draft => {
            Err(Failure::failed(format_args!(
                "version {} is a draft: what was in force stays until its errors are mended",
                saved.version
            )))
        }
        Some(_) => Ok(()),
    }
}

/// What was not saved: whether it could come into force as it is.
fn judge(lost: usize, findings: &[FindingRow]) -> Result<(), Failure> {
    if lost > 0 {
        let places = counted(lost as u64, "place");
        return Err(Failure::failed(format_args!(
            "{places} could not be carried, and nothing was saved: mend that in the files, or keep a draft with --draft"
        )));
    }
    told::mended(findings)
}

fn save(
    which: &Which,
    made: &Imported,
    draft: bool,
    store: &StoreArgs,
) -> Result<AdminReply, Failure> {
    let source = made.source.clone();
    let new = NewTemplate {
        template: name(which),
        subject: Some(source.subject),
        html: Some(source.html),
        text: Some(source.text),
        rest: WantedVersion::InForce,
        seen: None,
        note: "imported from Scalekit".to_owned(),
        activate: !draft,
    };
    ask(store, Asked::Save(Box::new(new)))
}

fn tell(
    made: &Imported,
    findings: &[FindingRow],
    saved: Option<&AdminReply>,
    (check, json): (bool, bool),
) -> Result<(), Failure> {
    if json {
        let saved = saved.and_then(|reply| serde_json::to_value(reply).ok());
        return show::json(&json!({
            "uncarried": made.uncarried.iter().map(row).collect::<Vec<_>>(),
            "changed": made.changed.iter().map(row).collect::<Vec<_>>(),
            "findings": findings,
            "source": {
                "subject": made.source.subject,
                "html": made.source.html,
                "text": made.source.text,
            },
            "saved": saved.map_or(Value::Null, |reply| reply["value"].clone()),
        }));
    }
    let mut lines: String = made
        .uncarried
        .iter()
        .map(|one| line("not carried", one))
        .chain(made.changed.iter().map(|one| line("changed", one)))
        .collect();
    if check {
        let source = &made.source;
        for (name, part) in [
            ("subject", &source.subject),
            ("text", &source.text),
            ("html", &source.html),
        ] {
            lines.extend(["--- ", name, "\n", part, "\n"]);
        }
        lines.push_str("--- lint\n");
        lines.push_str(&told::linted(findings));
    }
    show::text(&lines)?;
    saved.map_or(Ok(()), |reply| show::reply(reply, false))
}

fn line(what: &str, one: &Uncarried) -> String {
    let (part, at) = (one.part.as_str(), one.line);
    format!("{part}:{at}: {what}: {}: {}\n", one.what, one.why)
}

fn row(one: &Uncarried) -> Value {
    json!({ "part": one.part.as_str(), "line": one.line, "what": one.what, "why": one.why })
}
