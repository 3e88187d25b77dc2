//! Which version a command builds on, and what is said of those in force.

use serde_json::json;

use super::{set, taken_back};
use crate::{parsed, plan, stderr, stdout};

#[tokio::test]
async fn a_part_that_is_not_given_stays_as_it_is_in_force_and_the_answer_says_so() {
    let files = tempfile::tempdir().unwrap();
    let server = taken_back(&files);
    let subject = |subject: &str, more: &[&str]| {
        let asked = ["template", "set", "signin_otp", "--subject", subject];
        server.admin(&[&asked[..], more].concat())
    };
    let html = || stdout(&server.admin(&["template", "show", "signin_otp", "--part", "html"]));
    let new = subject("Neu {{ otp }}", &[]);
    assert!(new.status.success(), "{}", stderr(&new));
    let told = stdout(&new);
    assert!(
        told.contains("html and text are those of the built-in template"),
        "{told}"
    );
    assert!(html().starts_with("<mjml"), "{}", html());
    let old = subject("Alt {{ otp }}", &["--version", "1"]);
    let told = stdout(&old);
    assert!(
        told.contains("html and text are those of version 1 of signin_otp"),
        "{told}"
    );
    assert_eq!(html(), "<p>Old {{ otp }}</p>\n");
}

#[tokio::test]
async fn a_draft_is_built_on_only_when_that_is_asked_for() {
    let files = tempfile::tempdir().unwrap();
    let server = taken_back(&files);
    let draft = set(&server, &files, "<p>Draft {{ otp }}</p>", &["--draft"]);
    assert!(draft.status.success(), "{}", stderr(&draft));
    let subject = |more: &[&str]| {
        let asked = ["template", "set", "signin_otp", "--subject", "a", "--draft"];
        stdout(&server.admin(&[&asked[..], more].concat()))
    };
    let on = subject(&["--version", "draft"]);
    assert!(on.contains("those of version 2 of signin_otp"), "{on}");
    let over = subject(&[]);
    for told in [
        "those of the built-in template",
        "version 3 is a draft and was passed over: --version draft takes them from it",
    ] {
        assert!(over.contains(told), "{over}");
    }
}

#[tokio::test]
async fn what_was_in_force_before_is_no_draft() {
    let files = tempfile::tempdir().unwrap();
    let server = taken_back(&files);
    let list = parsed(&server.admin(&["--json", "template", "list"]));
    assert_eq!((list[0].get("version"), list[0].get("draft")), (None, None));
    let preview = server.admin(&["--json", "template", "preview", "signin_otp"]);
    let shown = parsed(&preview);
    assert!(!shown["html"].to_string().contains("Old"), "{shown}");
}

#[tokio::test]
async fn a_language_with_a_draft_alone_is_listed_with_what_its_readers_get() {
    let (server, files) = (plan().start(), tempfile::tempdir().unwrap());
    for (html, more) in [
        ("<p>All {{ otp }}</p>", &[][..]),
        ("<p>De {{ otp }}</p>", &["--language", "de", "--draft"]),
    ] {
        let made = set(&server, &files, html, more);
        assert!(made.status.success(), "{}", stderr(&made));
    }
    let list = stdout(&server.admin(&["template", "list"]));
    let line = list.lines().find(|line| line.contains(" de ")).unwrap();
    assert!(line.contains("as all languages  version 1"), "{list}");
    let rows = parsed(&server.admin(&["--json", "template", "list"]));
    assert_eq!(rows[1]["as_language"], json!("all"));
    for which in ["1", "built-in"] {
        let used = server.admin(&["template", "use", "signin_otp", which, "--language", "de"]);
        assert!(used.status.success(), "{}", stderr(&used));
        let told = stdout(&used);
        let own = told.contains("version 1 is in force");
        assert_eq!(own, which == "1", "{told}");
        let all = told.contains("readers get the template for all languages");
        assert_eq!(all, which != "1", "{told}");
    }
}
