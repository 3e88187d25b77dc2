//! `postern template edit`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use postern_testkit::process::Server;
use tempfile::TempDir;

use super::{put, set, taken_back};
use crate::{POSTERN, plan, stderr, stdout};

/// `postern template edit`, with a script for an editor.
fn edit(server: &Server, files: &TempDir, script: &str) -> Output {
    let editor = put(files.path(), "editor", &format!("#!/bin/sh\n{script}\n"));
    let ours = fs::Permissions::from_mode(0o700);
    fs::set_permissions(&editor, ours).expect("a file of ours");
    let mut command = Command::new(POSTERN);
    command.env_remove("VISUAL").env("EDITOR", &editor);
    command.env("TMPDIR", files.path());
    command.args(["template", "edit", "signin_otp", "--data"]);
    let ended = command.arg(server.data()).output();
    ended.expect("the program was built")
}

#[tokio::test]
async fn an_editor_begins_with_what_is_in_force_and_with_a_draft_where_there_is_one() {
    let files = tempfile::tempdir().unwrap();
    let server = taken_back(&files);
    let html = || stdout(&server.admin(&["template", "show", "signin_otp", "--part", "html"]));
    let changed = edit(&server, &files, "sed -i 's/^/Neu: /' \"$1\"");
    let told = stderr(&changed);
    assert!(
        told.contains("beginning with the built-in template"),
        "{told}"
    );
    assert!(html().starts_with("<mjml"), "{}", html());
    let draft = set(&server, &files, "<p>Draft {{ otp }}</p>", &["--draft"]);
    assert!(draft.status.success(), "{}", stderr(&draft));
    let changed = edit(&server, &files, "sed -i 's/^/Neu: /' \"$1\"");
    let told = stderr(&changed);
    assert!(
        told.contains("beginning with version 3 of signin_otp"),
        "{told}"
    );
    assert_eq!(html(), "<p>Draft {{ otp }}</p>\n");
}

#[tokio::test]
async fn an_editor_that_fails_leaves_what_was_written_and_says_where() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let left = || {
        let all = fs::read_dir(files.path()).unwrap();
        let names = all.map(|one| one.unwrap().file_name().into_string().unwrap());
        let mut dirs = names.filter(|name| name.starts_with("postern-template-"));
        dirs.next()
    };
    let failed = edit(&server, &files, "exit 3");
    let told = stderr(&failed);
    assert!(told.contains("nothing was saved"), "{told}");
    assert_eq!(left(), None, "nothing was written");
    let failed = edit(&server, &files, "echo a >> \"$1\"; exit 3");
    let told = stderr(&failed);
    let dir = left().expect("what was written is there");
    assert!(told.contains("nothing was saved"), "{told}");
    assert!(told.contains(&dir), "{told}");
}

#[tokio::test]
async fn an_editor_changes_a_version_and_only_what_it_changed_is_saved() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    let edit = |script: &str| edit(&server, &files, script);
    let same = edit("exit 0");
    assert_eq!(stdout(&same), "nothing was changed\n", "{}", stderr(&same));
    let changed = edit("sed -i 's/^/Neu: /' \"$1\"");
    assert!(
        stdout(&changed).contains("version 1 is in force"),
        "{}{}",
        stdout(&changed),
        stderr(&changed)
    );
    let subject = server.admin(&["template", "show", "signin_otp", "--part", "subject"]);
    assert!(
        stdout(&subject).starts_with("Neu: {{ t("),
        "{}",
        stdout(&subject)
    );
}
