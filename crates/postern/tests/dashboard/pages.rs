//! What the pages do.

use serde_json::json;

use crate::site::{Site, Visitor};

/// Waits until the log, which is at most 2 s behind, shows it.
pub(crate) async fn awaited(visitor: &mut Visitor, path: &str, text: &str) -> String {
    let looking = async {
        loop {
            let page = visitor.get(path).await.text;
            if page.contains(text) {
                return page;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, looking)
        .await
        .unwrap_or_else(|_| panic!("{path} never showed {text}"))
}

/// An access token for these credentials, if they are good.
pub(crate) async fn token(site: &Site, id: &str, secret: &str) -> Option<String> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let answer = reqwest::Client::new()
        .post(format!("{}/oauth/token", site.url))
        .form(&form);
    let answer: serde_json::Value = answer.send().await.unwrap().json().await.unwrap();
    answer["access_token"].as_str().map(str::to_owned)
}

pub(crate) async fn send(site: &Site, email: &str) -> serde_json::Value {
    let held = site.server.credentials();
    let token = token(site, &held.client_id, &held.client_secret).await;
    send_as(site, &token.unwrap(), email).await
}

/// Asks for a mail with this access token.
pub(crate) async fn send_as(site: &Site, token: &str, email: &str) -> serde_json::Value {
    call(site, token, "send", &json!({"email": email})).await
}

/// Calls a verb of the API.
pub(crate) async fn call(
    site: &Site,
    token: &str,
    verb: &str,
    body: &serde_json::Value,
) -> serde_json::Value {
    let url = format!("{}/api/v1/passwordless/email/{verb}", site.url);
    let call = reqwest::Client::new()
        .post(url)
        .bearer_auth(token)
        .json(body);
    call.send().await.unwrap().json().await.unwrap()
}

/// The form of the settings as the page shows it, with some fields typed anew.
async fn settings(visitor: &mut Visitor, typed: &[(&str, &str)]) -> Vec<(String, String)> {
    settings_on(visitor, "/dashboard/authentication", typed).await
}

/// What the form of settings on a page sends, with what was typed.
pub(crate) async fn settings_on(
    visitor: &mut Visitor,
    path: &str,
    typed: &[(&str, &str)],
) -> Vec<(String, String)> {
    let page = visitor.get(path).await.text;
    let seen = page.split("name=\"seen_").skip(1).map(|rest| {
        let (name, rest) = rest.split_once('"').unwrap();
        let value = rest
            .split_once("value=\"")
            .unwrap()
            .1
            .split('"')
            .next()
            .unwrap();
        (name.to_owned(), value.to_owned())
    });
    let seen: Vec<_> = seen.collect();
    let mut form = Vec::new();
    for (name, value) in seen {
        form.push((format!("seen_{name}"), value.clone()));
        let new = typed.iter().find(|(key, _)| *key == name);
        let value = new.map_or(value, |(_, value)| (*value).to_owned());
        match (name.as_str(), value.as_str()) {
            (_, "false") => {}
            ("expires_in", _) => {
                form.push((name, value.trim_end_matches('s').to_owned()));
                form.push(("expires_in_unit".to_owned(), "s".to_owned()));
            }
            _ => form.push((name, value)),
        }
    }
    form
}

async fn save(visitor: &mut Visitor, form: &[(String, String)]) -> String {
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    visitor.post("/dashboard/authentication", &form).await.text
}

#[tokio::test]
async fn a_setting_is_changed_is_in_force_and_is_told() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = settings(&mut owner, &[("expires_in", "720s"), ("code_length", "8")]).await;
    let page = save(&mut owner, &form).await;
    assert!(
        page.contains("<del>5 minutes</del> → <ins>12 minutes</ins>"),
        "{page}"
    );
    assert!(
        page.contains("ASVS 6.5.5"),
        "what is unsafe explains itself"
    );
    assert_eq!(
        send(&site, "ada@example.com").await["expires_in"],
        json!(720)
    );
    let mail = site.mail("ada@example.com").await;
    assert_eq!(mail["otp"].as_str().unwrap().len(), 8);
    let audit = owner.get("/dashboard/audit").await.text;
    for told in ["owner@example.com", "Changed a setting", "code_length"] {
        assert!(audit.contains(told), "{told}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_beside_its_field_and_nothing_is_saved() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = settings(&mut owner, &[("code_length", "99"), ("expires_in", "600s")]).await;
    let page = save(&mut owner, &form).await;
    assert!(page.contains("id=\"code_length-wrong\""), "{page}");
    assert!(
        page.contains("value=\"99\""),
        "what was typed is still there"
    );
    let page = owner.get("/dashboard/authentication").await.text;
    assert!(page.contains("name=\"seen_expires_in\" value=\"300s\""));
}

#[tokio::test]
async fn a_choice_that_is_none_is_told_beside_its_field_too() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for name in [
        "passwordless_type",
        "code_alphabet",
        "on_budget",
        "domain_rules",
    ] {
        let form = settings(&mut owner, &[(name, "NONE")]).await;
        let page = save(&mut owner, &form).await;
        for told in [
            format!("href=\"#{name}\""),
            format!("id=\"{name}\""),
            format!("aria-describedby=\"{name}-wrong\""),
            format!("id=\"{name}-wrong\""),
        ] {
            assert!(page.contains(&told), "{told}: {page}");
        }
    }
}

#[tokio::test]
async fn the_second_of_two_who_edit_the_same_is_told_and_overwrites_nothing() {
    let site = Site::start();
    let [mut first, mut second] = site.two_owners().await;
    let late = settings(&mut second, &[("expires_in", "600s")]).await;
    let other = settings(&mut second, &[("code_length", "7")]).await;
    let early = settings(&mut first, &[("expires_in", "120s")]).await;
    assert!(save(&mut first, &early).await.contains("Saved."));
    let page = save(&mut second, &late).await;
    assert!(page.contains("Somebody else was here"), "{page}");
    for told in [
        "<a href=\"#expires_in\">Expiry period</a>",
        "Somebody else has set this to 2 minutes since you opened the page.",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(
        save(&mut second, &other).await.contains("Saved."),
        "other settings are no conflict"
    );
    let again = settings(&mut second, &[("expires_in", "600s")]).await;
    assert!(save(&mut second, &again).await.contains("Saved."));
}

#[tokio::test]
async fn credentials_are_made_rotated_under_a_running_app_and_revoked() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let shown = |page: &str, name: &str| {
        let after = page.split_once(&format!("{name}=")).unwrap().1;
        after
            .split(|c: char| c.is_whitespace() || c == '<')
            .next()
            .unwrap()
            .to_owned()
    };
    let page = owner
        .post("/dashboard/applications", &[("name", "Shop")])
        .await
        .text;
    let (id, first) = (
        shown(&page, "SCALEKIT_CLIENT_ID"),
        shown(&page, "SCALEKIT_CLIENT_SECRET"),
    );
    assert!(token(&site, &id, &first).await.is_some());
    assert!(
        !owner
            .get("/dashboard/applications")
            .await
            .text
            .contains(&first),
        "shown once"
    );
    let rotate = format!("/dashboard/applications/{id}/rotate");
    let page = owner.post(&rotate, &[("overlap", "3600")]).await.text;
    let second = shown(&page, "SCALEKIT_CLIENT_SECRET");
    assert!(token(&site, &id, &first).await.is_some(), "the overlap");
    assert!(token(&site, &id, &second).await.is_some());
    let revoke = format!("/dashboard/applications/{id}/revoke");
    assert!(owner.get(&revoke).await.text.contains("cannot be undone"));
    owner.post(&revoke, &[]).await;
    assert!(token(&site, &id, &second).await.is_none());
}

#[tokio::test]
async fn each_secret_of_an_application_tells_when_it_was_used_last() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let held = site.server.credentials();
    let rotate = format!("/dashboard/applications/{}/rotate", held.client_id);
    owner.post(&rotate, &[("overlap", "3600")]).await;
    let page = owner.get("/dashboard/applications").await.text;
    assert_eq!(page.matches("no token yet").count(), 2, "{page}");
    let used = token(&site, &held.client_id, &held.client_secret).await;
    assert!(used.is_some(), "the earlier secret is good for the overlap");
    let page = awaited(&mut owner, "/dashboard/applications", "last token just now").await;
    let earlier = page.split_once("Earlier, until").unwrap().1;
    assert!(earlier.contains("last token just now"), "{page}");
    assert_eq!(page.matches("no token yet").count(), 1, "the newer one");
    assert!(page.contains("Two secrets are good"), "{page}");
}

#[tokio::test]
async fn what_people_and_apps_call_themselves_is_shown_as_text() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let name = "<script>alert(1)</script><img src=x onerror=alert(2)>";
    owner
        .post("/dashboard/applications", &[("name", name)])
        .await;
    send(&site, "o'hara&<b>@example.com").await;
    send(&site, "o'hara&amp=1@example.com").await;
    awaited(&mut owner, "/dashboard/logs", "hara&#38;amp=1").await;
    for path in [
        "/dashboard/applications",
        "/dashboard/logs",
        "/dashboard/audit",
        "/dashboard/quickstart",
    ] {
        let page = owner.get(path).await.text;
        assert!(
            !page.contains("<script>alert") && !page.contains("<img src=x"),
            "{path}"
        );
    }
    let hostile = owner
        .get("/dashboard/logs?email=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await
        .text;
    assert!(!hostile.contains("<script>alert"));
}

#[tokio::test]
async fn the_prompt_names_this_server_on_every_way_to_it() {
    let site = Site::start();
    let mut anyone = site.visitor();
    let llms = anyone.get("/llms.txt").await.text;
    assert!(llms.contains(&format!("{}/prompts/node.md", site.url)));
    for stack in ["node", "python", "go", "java", "rust", "curl"] {
        let prompt = anyone.get(&format!("/prompts/{stack}.md")).await;
        assert_eq!(prompt.status, 200);
        assert!(prompt.text.contains(&site.url));
    }
    assert_eq!(anyone.get("/prompts/cobol.md").await.status, 404);
}

#[tokio::test]
async fn a_mail_of_the_inbox_is_framed_without_scripts() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    let mail = site.mail("ada@example.com").await;
    let (id, code) = (mail["id"].as_str().unwrap(), mail["otp"].as_str().unwrap());
    let page = owner.get(&format!("/dashboard/inbox/{id}")).await.text;
    assert!(page.contains(code) && page.contains("sandbox=\"allow-popups"));
    let frame = owner.get(&format!("/dashboard/inbox/{id}/html")).await;
    assert!(
        frame
            .header("content-security-policy")
            .starts_with("sandbox ")
    );
}

#[tokio::test]
async fn an_invited_admin_is_mailed_and_a_removed_one_is_out() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("email", "grace@example.com"), ("role", "viewer")];
    assert!(
        owner
            .post("/dashboard/admins/add", &form)
            .await
            .leads_to("/dashboard/admins?done=invited")
    );
    site.mail("grace@example.com").await;
    let mut grace = site.visitor();
    grace
        .accept(&site.invite("grace@example.com", "owner"))
        .await;
    assert_eq!(grace.get("/dashboard").await.status, 200);
    let mine = owner
        .post(
            "/dashboard/admins/remove",
            &[("email", "owner@example.com")],
        )
        .await;
    assert!(mine.text.contains("owner left"), "{}", mine.text);
    owner
        .post(
            "/dashboard/admins/remove",
            &[("email", "grace@example.com")],
        )
        .await;
    assert!(grace.get("/dashboard").await.leads_to("/dashboard/sign-in"));
}

#[tokio::test]
async fn what_a_root_key_waits_for_is_told_when_it_is_asked() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    let yes = "<td data-label=\"In use\">yes</td>";
    let page = owner.get("/dashboard/keys").await.text;
    assert!(page.contains(yes), "what issues is in use: {page}");
    for step in [["add"].as_slice(), &["promote", "2"]] {
        let done = site.server.admin(&[&["keys", "root"], step].concat());
        assert!(done.status.success(), "{done:?}");
    }
    // It costs a look at every request, so it is not done unasked.
    awaited(&mut owner, "/dashboard/keys", "/dashboard/keys?look=1").await;
    let named = "Stored requests or secrets still need it";
    let page = awaited(&mut owner, "/dashboard/keys?look=1", named).await;
    assert_eq!(page.matches(yes).count(), 2, "{page}");
    let rotated = owner.post("/dashboard/keys/signing/rotate", &[]).await;
    assert!(rotated.leads_to("/dashboard/keys?done=rotated"));
    let page = owner.get("/dashboard/keys").await.text;
    let dropped = page.matches("/dashboard/keys/signing/drop").count();
    assert_eq!(
        dropped, 2,
        "the retired key and the standby, not the active one"
    );
    assert!(
        owner
            .get("/dashboard/audit")
            .await
            .text
            .contains("Moved a signing key on")
    );
}
