//! `postern template …`

mod edit;
mod files;
mod import;
mod told;

use std::collections::BTreeMap;
use std::path::Path;

use postern_core::model::{Language, MailKind, TemplateKey};
use postern_core::ports::Clock as _;

use super::args::{StoreArgs, TemplateCommand, Which};
use super::exit::{Code, Failure};
use super::{show, store};
use crate::admin::{
    AdminCommand, AdminReply, FindingRow, NewTemplate, TemplateCommand as Asked, TemplateName,
    TemplateShown, TemplateText, WantedPreview, WantedVersion,
};
use crate::mail::{self, Part};
use crate::world::SystemClock;

pub(super) use told::{history, linted, list, saved, shown, used};

/// Carries out one command on templates.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
pub(super) fn run(command: TemplateCommand, json: bool) -> Result<(), Failure> {
    match command {
        TemplateCommand::List { store } => carry(&store, Asked::List, json),
        TemplateCommand::Show {
            which,
            version,
            part,
            store,
        } => match part {
            None => {
                let template = name(&which);
                carry(&store, Asked::Show { template, version }, json)
            }
            Some(part) => one_part(part, &fetch(&store, &which, version)?, json),
        },
        TemplateCommand::History { which, store } => {
            let template = name(&which);
            carry(&store, Asked::History { template }, json)
        }
        TemplateCommand::Edit {
            which,
            version,
            draft,
            store,
        } => edit::run(&which, version, draft, &store, json),
        TemplateCommand::Set {
            which,
            files,
            version,
            draft,
            note,
            store,
        } => {
            let parts = files::parts(&files, &which)?;
            if parts.is_empty() {
                return Err(usage(
                    "say what to set: --subject, --html, --text or --from",
                ));
            }
            let new = parts.version(name(&which), version, note, !draft);
            save(&store, new, json)
        }
        TemplateCommand::Export {
            which,
            version,
            to,
            store,
        } => {
            let source = fetch(&store, &which, version)?.source;
            let written = files::write(&to, &which, &source)?;
            told::written(&written, json)
        }
        TemplateCommand::Import {
            which,
            files,
            check,
            draft,
            store,
        } => import::run(&which, &files, (check, draft), &store, json),
        TemplateCommand::Lint {
            which,
            files,
            version,
            store,
        } => lint(&which, &files, version, &store, json),
        TemplateCommand::Preview {
            which,
            version,
            out,
            inbox,
            vars,
            store,
        } => {
            let wanted = WantedPreview {
                template: name(&which),
                version,
                variables: pairs(&vars)?,
                to_inbox: inbox,
            };
            preview(&store, wanted, out.as_deref(), json)
        }
        TemplateCommand::Use {
            which,
            version,
            store,
        } => {
            let version = match version {
                WantedVersion::Number(number) => Some(number),
                WantedVersion::BuiltIn => None,
                WantedVersion::InForce | WantedVersion::Draft | WantedVersion::Newest => {
                    return Err(usage("say which version: a number, or built-in"));
                }
            };
            let template = name(&which);
            carry(&store, Asked::Use { template, version }, json)
        }
        TemplateCommand::Revert { which, store } => {
            let template = name(&which);
            carry(&store, Asked::Revert { template }, json)
        }
    }
}

fn carry(store: &StoreArgs, asked: Asked, json: bool) -> Result<(), Failure> {
    show::reply(&ask(store, asked)?, json)
}

fn ask(store: &StoreArgs, asked: Asked) -> Result<AdminReply, Failure> {
    store::execute(store, &AdminCommand::Template(asked))
}

fn fetch(
    store: &StoreArgs,
    which: &Which,
    version: WantedVersion,
) -> Result<TemplateShown, Failure> {
    let template = name(which);
    match ask(store, Asked::Show { template, version })? {
        AdminReply::Template(shown) => Ok(*shown),
        _ => Err(Failure::failed("the server answered something else")),
    }
}

/// Saves a version, tells what became of it, and fails when it was to come into force and did not.
fn save(store: &StoreArgs, new: NewTemplate, json: bool) -> Result<(), Failure> {
    let activate = new.activate;
    let reply = ask(store, Asked::Save(Box::new(new)))?;
    show::reply(&reply, json)?;
    match &reply {
        AdminReply::TemplateSaved(saved) if activate && !saved.active => {
            let told = format!(
                "version {} is a draft: what was in force stays until its errors are mended",
                saved.version
            );
            Err(Failure::failed(told))
        }
        _ => Ok(()),
    }
}

fn one_part(part: Part, shown: &TemplateShown, json: bool) -> Result<(), Failure> {
    let source = shown.source.clone().into();
    let text = part.of(&source);
    if json {
        return show::json(&serde_json::json!({ part.as_str(): text }));
    }
    let ended = text.ends_with('\n');
    show::text(&format!("{text}{}", if ended { "" } else { "\n" }))
}

fn lint(
    which: &Which,
    typed: &super::args::TemplateFiles,
    version: WantedVersion,
    store: &StoreArgs,
    json: bool,
) -> Result<(), Failure> {
    let key = key(which)?;
    let parts = files::parts(typed, which)?;
    let reply = if parts.is_empty() {
        let template = name(which);
        ask(store, Asked::Lint { template, version })?
    } else {
        let source = parts.whole().map_err(|told| usage(&told))?;
        let found = mail::lint(&key, &source);
        let findings = found.iter().map(FindingRow::from).collect();
        AdminReply::TemplateLinted { findings }
    };
    show::reply(&reply, json)?;
    match &reply {
        AdminReply::TemplateLinted { findings } => told::mended(findings),
        _ => Ok(()),
    }
}

fn preview(
    store: &StoreArgs,
    wanted: WantedPreview,
    out: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    let inbox = wanted.to_inbox;
    let reply = ask(store, Asked::Preview(Box::new(wanted)))?;
    let AdminReply::TemplatePreviewed(filled) = &reply else {
        return Err(Failure::failed("the server answered something else"));
    };
    match out {
        None if json => show::reply(&reply, json),
        None if inbox => show::text("it is in the development inbox\n"),
        None => show::text(&format!("Subject: {}\n\n{}\n", filled.subject, filled.text)),
        Some(file) => {
            write_preview(file, filled)?;
            told::written(&[file.to_owned()], json)
        }
    }
}

fn write_preview(file: &Path, filled: &TemplateText) -> Result<(), Failure> {
    let kind = file.extension().and_then(|end| end.to_str());
    let content = match kind {
        Some("html") => filled.html.clone().into_bytes(),
        Some("txt") => filled.text.clone().into_bytes(),
        Some("eml") => {
            let (subject, text, html) = (&filled.subject, &filled.text, &filled.html);
            mail::message_of(SystemClock.now(), subject, text, html)
        }
        _ => return Err(usage("--out is a file that ends in .html, .txt or .eml")),
    };
    files::put(file, &content)
}

fn pairs(vars: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |typed: &String| {
        let (name, value) = typed
            .split_once('=')
            .ok_or_else(|| usage(&format!("{typed:?} is not NAME=VALUE")))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    vars.iter().map(pair).collect()
}

fn name(which: &Which) -> TemplateName {
    TemplateName {
        kind: which.template.clone(),
        language: which.language.clone(),
    }
}

/// The template that was named, checked here, where no store is asked.
fn key(which: &Which) -> Result<TemplateKey, Failure> {
    let kind = MailKind::parse(&which.template).ok_or_else(|| {
        let known = MailKind::ALL.map(MailKind::as_str).join(", ");
        usage(&format!(
            "{:?} is no template: there are {known}",
            which.template
        ))
    })?;
    let read = |tag: &String| {
        Language::parse(tag).ok_or_else(|| usage(&format!("{tag:?} is no language tag (BCP 47)")))
    };
    Ok(TemplateKey {
        kind,
        language: which.language.as_ref().map(read).transpose()?,
    })
}

fn usage(told: &str) -> Failure {
    Failure::new(Code::Usage, told)
}
