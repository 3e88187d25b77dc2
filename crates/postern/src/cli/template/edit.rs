//! `postern template edit`

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::args::{StoreArgs, TemplateFiles, Which};
use super::super::exit::Failure;
use super::super::show;
use super::{fetch, files, key, name, save};
use crate::admin::{NewTemplate, TemplateText, WantedVersion};
use crate::mail::Source;

/// Opens a version in an editor and saves what comes of it. Until it is saved, the files stay.
pub(super) fn run(
    which: &Which,
    version: WantedVersion,
    draft: bool,
    store: &StoreArgs,
    json: bool,
) -> Result<(), Failure> {
    key(which)?;
    let shown = fetch(store, which, version)?;
    eprintln!("beginning with {}", shown.called());
    let dir = directory()?;
    let written = files::write(&dir, which, &shown.source)?;
    edit(&written).map_err(|failure| kept(which, &shown.source, &dir, failure))?;
    let read_back = read_back(which, &dir);
    let source = read_back.map_err(|failure| kept(which, &shown.source, &dir, failure))?;
    if is_same(&source, &shown.source) {
        let _ = fs::remove_dir_all(&dir);
        if json {
            return show::json(&serde_json::json!({ "changed": false }));
        }
        return show::text("nothing was changed\n");
    }
    let new = NewTemplate {
        template: name(which),
        subject: Some(source.subject),
        html: Some(source.html),
        text: Some(source.text),
        rest: version,
        seen: Some(shown.newest),
        note: "edited".to_owned(),
        activate: !draft,
    };
    let saved = save(store, new, json);
    match &saved {
        // A draft is in the store; what was refused altogether is only in the files.
        Err(failure) if !failure.message.contains("is a draft") => Err(Failure::failed(
            format_args!("{failure}; what you wrote is in {}", dir.display()),
        )),
        _ => {
            let _ = fs::remove_dir_all(&dir);
            saved
        }
    }
}

/// What the files read.
fn read_back(which: &Which, dir: &Path) -> Result<Source, Failure> {
    let from = TemplateFiles {
        subject: None,
        html: None,
        text: None,
        from: Some(dir.to_owned()),
    };
    files::parts(&from, which)?.whole().map_err(Failure::failed)
}

fn is_same(written: &Source, shown: &TemplateText) -> bool {
    written.subject == shown.subject.trim_end()
        && written.html == shown.html
        && written.text == shown.text
}

/// The failure, with the folder of what was written, if anything was.
fn kept(which: &Which, shown: &TemplateText, dir: &Path, failure: Failure) -> Failure {
    match read_back(which, dir) {
        Ok(source) if is_same(&source, shown) => {
            let _ = fs::remove_dir_all(dir);
            failure
        }
        _ => Failure::failed(format_args!(
            "{failure}; what you wrote is in {}",
            dir.display()
        )),
    }
}

fn directory() -> Result<PathBuf, Failure> {
    let random = u64::from_le_bytes(crate::world::name());
    let dir = std::env::temp_dir().join(format!("postern-template-{random:016x}"));
    let made = DirBuilder::new().mode(0o700).create(&dir);
    made.map_err(|error| Failure::failed(format_args!("cannot make {}: {error}", dir.display())))?;
    Ok(dir)
}

/// Runs the editor, as a shell would, so that `EDITOR="code --wait"` works.
fn edit(files: &[PathBuf]) -> Result<(), Failure> {
    let wanted = ["VISUAL", "EDITOR"].map(std::env::var_os);
    let editor = wanted
        .into_iter()
        .flatten()
        .find(|editor| !editor.is_empty())
        .unwrap_or_else(|| "vi".into());
    let mut line = editor.clone();
    line.push(" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).arg("sh");
    let ended = command.args(files).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::failed(format_args!(
            "the editor {} ended with {status}: nothing was saved",
            editor.display()
        ))),
        Err(error) => Err(Failure::failed(format_args!(
            "no editor could be started: {error}: set $EDITOR, or use `postern template set`"
        ))),
    }
}
