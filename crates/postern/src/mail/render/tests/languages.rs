//! Every kind of mail in every language: as committed, and as other software reads it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::mail::{Parts, wording};

const BRANDING: [(&str, &str); 2] = [
    ("app_support_email", "help@acme.example"),
    ("user_name", "Ada"),
];

fn in_language(kind: Kind, tag: &str) -> Mail {
    let mut pairs = BRANDING.to_vec();
    pairs.push(("locale", tag));
    render(kind, &pairs)
}

fn all() -> impl Iterator<Item = (String, Kind, Mail)> {
    let tags = wording::languages().iter().map(ToString::to_string);
    tags.flat_map(|tag| Kind::ALL.map(|kind| (tag.clone(), kind, in_language(kind, &tag))))
}

/// Compares a file with what it should hold now, or writes it when `UPDATE_SNAPSHOTS` is set.
fn compare(path: &Path, now: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, now).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        now,
        committed,
        "{}: run `cargo xtask generate` and look at the difference",
        path.display()
    );
}

fn snapshots() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/emails")
}

#[test]
fn every_kind_in_every_language_is_as_committed() {
    for (tag, kind, mail) in all() {
        let Parts {
            subject,
            text,
            html,
        } = &mail.parts;
        let readable = format!("Subject: {subject}\n\n{text}\n\n----\n\n{html}\n");
        compare(
            &snapshots().join(format!("{tag}/{}.txt", kind.as_str())),
            &readable,
        );
    }
}

#[test]
fn the_messages_on_the_wire_are_as_committed() {
    for kind in Kind::ALL {
        let message = wire(&in_language(kind, "en"));
        compare(
            &snapshots().join(format!("{}.eml", kind.as_str())),
            &message,
        );
    }
}

#[test]
fn the_language_comes_from_the_variable_then_from_the_call_then_from_the_settings() {
    let heading = |locale: &[(&str, &str)], call: &str, default: &str| {
        let input = MailInput {
            languages: Languages::parse(call),
            ..input(locale)
        };
        let settings = Settings {
            default_language: Language::parse(default).unwrap(),
            ..Settings::default()
        };
        let renderer = Renderer {
            templates: &TEMPLATES,
            keyring: &keyring(),
            settings: &settings,
            from: &"login@acme.example".parse().unwrap(),
            public_url: "https://auth.example.com",
        };
        let outgoing = outgoing(Kind::SigninLink, "ada@example.com");
        renderer
            .render(&outgoing, &input, SENT_AT)
            .unwrap()
            .parts
            .subject
    };
    assert_eq!(
        heading(&[("locale", "de-AT")], "fr", "it"),
        "Anmelden bei Postern"
    );
    assert_eq!(
        heading(&[("locale", "xx")], "fr;q=0.5, *", "it"),
        "Connexion à Postern"
    );
    assert_eq!(heading(&[], "", "it"), "Accedi a Postern");
    assert_eq!(heading(&[], "", "sv"), "Sign in to Postern");
}

#[test]
fn arabic_mail_runs_from_right_to_left_but_codes_and_addresses_do_not() {
    let html = in_language(Kind::SigninLinkOtp, "ar").parts.html;
    assert!(html.starts_with("<!doctype html><html lang=\"ar\" dir=\"rtl\""));
    assert!(html.contains("text-align:right"));
    assert_eq!(html.matches("dir=\"ltr\"").count(), 2, "code and address");
}

#[test]
fn a_mail_needs_nothing_from_elsewhere_and_stays_small() {
    for (tag, kind, mail) in all() {
        let html = &mail.parts.html;
        assert!(html.len() < 60_000, "{tag} {kind:?}: {} bytes", html.len());
        for remote in ["src=", "@import", "url(", "<link"] {
            assert!(!html.contains(remote), "{tag} {kind:?}: {remote}");
        }
        let link = mail.credentials.link.as_ref().map(SecretText::expose);
        let ours = ["http://www.w3.org/1999/xhtml", "https://app.example/"];
        for (at, _) in html.match_indices("http") {
            let known = ours.iter().any(|known| html[at..].starts_with(known));
            assert!(
                known || html[at..].starts_with("http-equiv"),
                "{}",
                &html[at..at + 60]
            );
        }
        assert_eq!(link.is_some(), html.contains("href="), "{tag} {kind:?}");
    }
}

#[test]
fn a_mail_says_who_asked_when_and_for_whom_in_every_language() {
    for (tag, kind, mail) in all() {
        let moment = Wording::in_language(&Language::parse(&tag).unwrap()).moment(SENT_AT);
        for part in [&mail.parts.text, &mail.parts.html] {
            for said in [
                "Acme",
                "ada@example.com",
                &moment,
                "help@acme.example",
                "Ada",
            ] {
                assert!(part.contains(said), "{tag} {kind:?}: {said}");
            }
        }
        if let Some(code) = &mail.credentials.passcode {
            let first = mail.parts.text.lines().next().unwrap();
            assert!(first.contains(code.expose()), "{tag}: {first}");
            assert!(mail.parts.subject.contains(code.expose()), "{tag}");
            let last = mail.parts.text.trim_end().lines().last().unwrap();
            assert_eq!(last, format!("@app.example #{}", code.expose()), "{tag}");
        }
    }
}

#[test]
fn a_mail_says_what_to_do_if_it_was_not_asked_for_in_every_language() {
    for (tag, kind, mail) in all() {
        let language = Language::parse(&tag).unwrap();
        let key = match (&mail.credentials.passcode, &mail.credentials.link) {
            (Some(_), Some(_)) => "warning-both",
            (Some(_), None) => "warning-code",
            _ => "warning-link",
        };
        let none = wording::args([]);
        let warning = Wording::in_language(&language).say(key, &none).unwrap();
        assert!(mail.parts.text.contains(&warning), "{tag} {kind:?}: text");
        let escaped = crate::mail::escape_html(&warning);
        assert!(
            mail.parts.html.contains(&escaped),
            "{tag} {kind:?}: {escaped}"
        );
    }
}

#[test]
fn a_mail_fits_dark_screens_and_light_ones_in_every_language() {
    for (tag, kind, mail) in all() {
        let html = &mail.parts.html;
        for said in [
            "<meta name=\"color-scheme\" content=\"light dark\"",
            "prefers-color-scheme: dark",
        ] {
            assert!(html.contains(said), "{tag} {kind:?}: {said}");
        }
    }
}

#[test]
fn a_code_without_a_link_is_bound_to_the_configured_domain() {
    let settings = Settings {
        app_domain: "acme.example".to_owned(),
        ..Settings::default()
    };
    let renderer = Renderer {
        templates: &TEMPLATES,
        keyring: &keyring(),
        settings: &settings,
        from: &"login@acme.example".parse().unwrap(),
        public_url: "https://auth.example.com",
    };
    let outgoing = outgoing(Kind::SigninOtp, "ada@example.com");
    for uri in [None, Some("com.example.app:/in")] {
        let uri = uri.map(|uri| LinkUri::parse(uri, &Settings::default()).unwrap());
        let input = MailInput {
            uri,
            ..MailInput::default()
        };
        let mail = renderer.render(&outgoing, &input, SENT_AT).unwrap();
        let last = mail
            .parts
            .text
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .to_owned();
        assert!(last.starts_with("@acme.example #"), "{last}");
    }
}

/// What Python's `email` package made of one message.
#[derive(serde::Deserialize)]
struct ReadByPython {
    headers: std::collections::BTreeMap<String, String>,
    types: Vec<String>,
    text: String,
    html: String,
    defects: Vec<String>,
}

#[test]
fn pythons_email_parser_reads_every_message_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut mails = Vec::new();
    for (tag, kind, mail) in all() {
        mails.push((format!("{tag}.{}.eml", kind.as_str()), mail));
    }
    for (at, to) in [
        "дарья@почта.example",
        "ada@bücher.example",
        "用户@例子.example",
    ]
    .into_iter()
    .enumerate()
    {
        let mail = render_as(
            "Пример ООО <login@пример.example>",
            &outgoing(Kind::SigninLinkOtp, to),
            &input(&[("app_name", "Ακμή 🗝 <&>"), ("locale", "ar")]),
        );
        mails.push((format!("address{at}.eml"), mail));
    }
    for (name, mail) in &mails {
        std::fs::write(folder.path().join(name), mail.encode().unwrap().1).unwrap();
    }
    let read = read_by_python(folder.path());
    assert_eq!(read.len(), mails.len());
    for (name, mail) in &mails {
        assert_same(name, &read[name], mail);
    }
}

fn read_by_python(folder: &Path) -> std::collections::BTreeMap<String, ReadByPython> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/read_mails.py");
    let done = Command::new("python3")
        .arg(script)
        .arg(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    serde_json::from_slice(&done.stdout).unwrap()
}

fn assert_same(name: &str, read: &ReadByPython, mail: &Mail) {
    // An address that needs SMTPUTF8 stands there as it is (RFC 6532), which Python reads but notes.
    let international = !mail.to.local().is_ascii();
    let noted = read
        .defects
        .iter()
        .filter(|defect| !(international && defect.starts_with("To:")));
    assert_eq!(noted.collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    assert_eq!(
        read.types,
        ["multipart/alternative", "text/plain", "text/html"],
        "{name}"
    );
    assert_eq!(read.text.trim_end(), mail.parts.text.trim_end(), "{name}");
    assert_eq!(read.html.trim_end(), mail.parts.html.trim_end(), "{name}");
    assert_eq!(read.headers["subject"], mail.parts.subject, "{name}");
    assert_eq!(read.headers["message-id"], mail.message_id(), "{name}");
    assert_eq!(read.headers["auto-submitted"], "auto-generated", "{name}");
    assert_eq!(read.headers["x-auto-response-suppress"], "All", "{name}");
    assert_eq!(
        read.headers["date"], "Sun, 22 Nov 2026 20:31:00 +0000",
        "{name}"
    );
    assert_eq!(read.headers["from"], mail.from.to_string(), "{name}");
}
