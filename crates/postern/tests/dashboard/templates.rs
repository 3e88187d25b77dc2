//! The pages of mail templates.

use crate::site::{Seen, Site, Visitor};

const EDITOR: &str = "/dashboard/emails/templates/signin_otp";
const HTML: &str = "<p>Guten Tag, Ihr Code ist {{ otp }}.</p>";
const TEXT: &str = "Ihr Code: {{ otp }}\n\n@{{ code_domain }} #{{ otp }}\n";

/// What the editor's form sends.
fn form<'a>(seen: &'a str, language: &'a str, html: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("seen", seen),
        ("language", language),
        ("subject", "Code {{ otp }}"),
        ("html", html),
        ("text", TEXT),
        ("do", "activate"),
    ]
}

async fn save(visitor: &mut Visitor, seen: &str, language: &str, html: &str) -> Seen {
    visitor.post(EDITOR, &form(seen, language, html)).await
}

async fn mailed(site: &Site, email: &str, locale: &str) -> serde_json::Value {
    let held = site.server.credentials();
    let http = reqwest::Client::new();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*held.client_id),
        ("client_secret", &*held.client_secret),
    ];
    let token = http.post(format!("{}/oauth/token", site.url)).form(&form);
    let token: serde_json::Value = token.send().await.unwrap().json().await.unwrap();
    let call = http
        .post(format!("{}/api/v1/passwordless/email/send", site.url))
        .bearer_auth(token["access_token"].as_str().unwrap())
        .json(&serde_json::json!({ "email": email, "template_variables": { "locale": locale } }));
    assert_eq!(call.send().await.unwrap().status(), 200);
    site.mail(email).await
}

#[tokio::test]
async fn a_saved_template_is_what_people_get_and_a_revert_takes_it_back() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let saved = save(&mut owner, "0", "de", HTML).await;
    assert!(
        saved.leads_to(&format!("{EDITOR}?language=de&done=template-used")),
        "{saved:?}"
    );
    let mail = mailed(&site, "ada@example.com", "de-AT").await;
    assert!(
        mail["html"].as_str().unwrap().starts_with("<p>Guten Tag"),
        "{mail}"
    );
    let other = mailed(&site, "bob@example.com", "fr").await;
    assert!(
        !other["html"].as_str().unwrap().contains("Guten Tag"),
        "{other}"
    );
    let list = owner.get("/dashboard/emails/templates").await.text;
    assert!(list.contains("Custom, version 1"), "{list}");
    let back = owner
        .post(&format!("{EDITOR}/revert"), &[("language", "de")])
        .await;
    assert!(back.leads_to(EDITOR), "{back:?}");
    let mail = mailed(&site, "eve@example.com", "de-AT").await;
    assert!(
        !mail["html"].as_str().unwrap().contains("Guten Tag"),
        "{mail}"
    );
}

#[tokio::test]
async fn a_language_without_a_template_of_its_own_is_shown_as_its_readers_get_it() {
    let site = Site::start();
    let mut owner = site.owner().await;
    save(&mut owner, "0", "", HTML).await;
    let page = owner.get(&format!("{EDITOR}?language=ja")).await.text;
    assert!(page.contains("Guten Tag"), "{page}");
    assert!(page.contains("/html?language=ja\""), "{page}");
    let frame = owner.get(&format!("{EDITOR}/html?language=ja")).await.text;
    assert!(frame.contains("Guten Tag"), "{frame}");
    let built_in = format!("{EDITOR}?language=ja&version=built-in");
    let page = owner.get(&built_in).await.text;
    assert!(page.contains("&amp;version=built-in\""), "{page}");
    let frame = format!("{EDITOR}/html?language=ja&version=built-in");
    let frame = owner.get(&frame).await.text;
    assert!(!frame.contains("Guten Tag"), "{frame}");
}

#[tokio::test]
async fn a_language_with_a_draft_alone_is_listed_with_what_its_readers_get() {
    let site = Site::start();
    let mut owner = site.owner().await;
    save(&mut owner, "0", "", HTML).await;
    let mut draft = form("0", "de", "<p>Nur Deutsch {{ otp }}</p>");
    draft.retain(|(name, _)| *name != "do");
    draft.push(("do", "draft"));
    owner.post(EDITOR, &draft).await;
    let list = owner.get("/dashboard/emails/templates").await.text;
    let chip = list.split_once("<strong>de</strong>").unwrap().1;
    let chip = chip.split_once("</a>").unwrap().0;
    assert!(
        chip.contains("As all languages") && chip.contains("Draft 1"),
        "{chip}"
    );
    let page = owner.get(&format!("{EDITOR}?language=de")).await.text;
    assert!(page.contains("As all languages"), "{page}");
    let history = page.split_once("<h2>History</h2>").unwrap().1;
    assert!(!history.contains("tag good\">In force"), "{history}");
}

#[tokio::test]
async fn a_template_without_its_code_stays_a_draft_and_says_why() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let saved = save(&mut owner, "0", "", "<p>Hello</p>").await;
    assert!(
        saved.leads_to(&format!("{EDITOR}?done=template-draft")),
        "{saved:?}"
    );
    let told = owner.get(saved.header("location")).await.text;
    let banner = told.split_once("role=\"alert\">").unwrap().1;
    let banner = banner.split_once("</div>").unwrap().0;
    for said in [
        "Kept as a draft; it is not in force.",
        "the code is not in every mail",
    ] {
        assert!(banner.contains(said), "{banner}");
    }
    assert!(!told.contains("note good"), "no green banner: {told}");
    let page = owner.get(EDITOR).await.text;
    for told in [
        "Draft 1",
        "Built-in",
        "the code is not in every mail",
        "&#60;p&#62;Hello",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let forced = owner
        .post(&format!("{EDITOR}/use"), &[("version", "1")])
        .await;
    assert_eq!(forced.status, 400);
    assert!(
        forced.text.contains("the code is not in every mail"),
        "{}",
        forced.text
    );
}

#[tokio::test]
async fn a_draft_that_was_kept_as_one_says_whether_it_could_come_into_force() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let keep = |html| {
        let mut form = form("0", "", html);
        form.retain(|(name, _)| *name != "do");
        form.push(("do", "draft"));
        form
    };
    let kept = owner.post(EDITOR, &keep(HTML)).await;
    let page = owner.get(kept.header("location")).await.text;
    assert!(
        page.contains("note good\" role=\"status\">Kept as a draft."),
        "{page}"
    );
    let mut wrong = keep("<p>Hello</p>");
    wrong[0] = ("seen", "1");
    let kept = owner.post(EDITOR, &wrong).await;
    let page = owner.get(kept.header("location")).await.text;
    assert!(
        page.contains("note warn\" role=\"alert\"><p><strong>Kept as a draft"),
        "{page}"
    );
}

#[tokio::test]
async fn of_two_who_edit_at_once_the_second_is_told_and_loses_nothing() {
    let site = Site::start();
    let (mut ada, mut bob) = (site.owner().await, site.visitor());
    bob.accept(&site.invite("bob@example.com", "owner")).await;
    assert!(save(&mut ada, "0", "", HTML).await.leads_to(EDITOR));
    let late = save(&mut bob, "0", "", "<p>Mine: {{ otp }}</p>").await;
    assert_eq!(late.status, 200);
    for told in [
        "Somebody else was here.",
        "owner@example.com",
        "Mine: {{ otp }}",
        "name=\"seen\" value=\"1\"",
    ] {
        assert!(late.text.contains(told), "{told}: {}", late.text);
    }
    let again = save(&mut bob, "1", "", "<p>Mine: {{ otp }}</p>").await;
    assert!(again.leads_to(EDITOR), "{again:?}");
}

#[tokio::test]
async fn a_preview_shows_what_is_typed_in_any_language_and_can_do_nothing() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let evil =
        "<p>{{ otp }} {{ expiry_time_relative }}</p><script>parent.document.title='x'</script>";
    let path = format!("{EDITOR}/html");
    let mut typed = form("0", "", evil);
    typed.extend([("reader", "ja"), ("view", "mobile")]);
    let seen = owner.post(&path, &typed).await;
    assert!(seen.text.contains("731904 5分"), "{}", seen.text);
    let policy = seen.header("content-security-policy");
    for rule in ["sandbox", "default-src 'none'", "frame-ancestors 'self'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(
        !policy.contains("allow-scripts") && !policy.contains("allow-same-origin"),
        "{policy}"
    );
    let text = owner.get(&format!("{path}?view=text&reader=de")).await.text;
    assert!(text.contains("<pre") && text.contains("731904"), "{text}");
}

#[tokio::test]
async fn a_preview_that_follows_the_typing_keeps_its_mail_while_it_cannot_be_filled() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let path = format!("{EDITOR}/html");
    let mut typed = form("0", "", "<p>{{ otp </p>");
    let told = owner.post(&path, &typed).await;
    assert_eq!((told.status, told.text.contains("<pre")), (200, true));
    typed.push(("live", "true"));
    let kept = owner.post(&path, &typed).await;
    assert_eq!((kept.status, &*kept.text), (204, ""));
}

#[tokio::test]
async fn the_editor_lists_the_sentences_that_it_may_say_and_takes_no_word_for_a_language() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let page = owner.get(&format!("{EDITOR}?language=de")).await.text;
    assert!(
        page.contains("t(&#34;hello&#34;)") && page.contains("Guten Tag Ada,"),
        "{page}"
    );
    let refused = owner.get(&format!("{EDITOR}?language=klingon")).await.text;
    assert!(
        refused.contains("is no language tag, such as de or pt-BR."),
        "{refused}"
    );
}

#[tokio::test]
async fn lint_is_told_while_somebody_types() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let path = format!("{EDITOR}/lint");
    let good = owner.post(&path, &form("0", "", HTML)).await.text;
    assert!(good.contains("Nothing is wrong with it"), "{good}");
    let bad = owner
        .post(&path, &form("0", "", "<p>{{ otp }}</p>\n<b>{{ plan }}</b>"))
        .await
        .text;
    assert!(
        bad.contains("html, line 2") && bad.contains("does not fill plan"),
        "{bad}"
    );
}

#[tokio::test]
async fn a_viewer_sees_sources_and_previews_and_no_button() {
    let site = Site::start();
    save(&mut site.owner().await, "0", "", HTML).await;
    let mut viewer = site.viewer().await;
    let page = viewer.get(EDITOR).await.text;
    assert!(
        page.contains("Guten Tag") && page.contains("change nothing"),
        "{page}"
    );
    for button in [
        "Save and put in force",
        "Revert",
        "data-live",
        "Put in force",
    ] {
        assert!(!page.contains(button), "{button}");
    }
    let seen = viewer.get(&format!("{EDITOR}/html?version=1")).await;
    assert!(
        seen.text.contains("Guten Tag, Ihr Code ist 731904"),
        "{}",
        seen.text
    );
}

#[tokio::test]
async fn a_long_template_fits_and_what_is_no_language_is_told() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let long = format!("{HTML}<!--{}-->", "é".repeat(400_000));
    assert!(save(&mut owner, "0", "", &long).await.leads_to(EDITOR));
    let odd = owner.get(&format!("{EDITOR}?language=no%20language")).await;
    assert_eq!(odd.status, 400);
    assert!(odd.text.contains("no language tag"), "{}", odd.text);
}
