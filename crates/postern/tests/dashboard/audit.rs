//! Everything that an admin changes is in the audit.

use http::Method;
use postern::dashboard::{Access, Dashboard};

use crate::pages::{send, settings_on};
use crate::site::{Site, Visitor};

/// Routes that owners post to and that change nothing.
const NO_CHANGES: [&str; 4] = [
    "/dashboard/authentication/advice",
    "/dashboard/emails/templates/{id}/html",
    "/dashboard/emails/templates/{id}/lint",
    "/dashboard/quickstart/verify",
];

type Form = Vec<(String, String)>;

fn form(pairs: &[(&str, &str)]) -> Form {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    pairs.iter().map(owned).collect()
}

/// A request of this story names its root key, so another one tells of its end.
const ELSEWHERE: [&str; 1] = ["/dashboard/keys/root/retire"];

/// The newest entry.
async fn newest(owner: &mut Visitor) -> String {
    let page = owner.get("/dashboard/audit").await.text;
    let body = page.split_once("<tbody>").unwrap().1;
    body.split_once("</tr>").unwrap().0.to_owned()
}

fn provider(from: &str, changed: &str, seen: &str) -> Form {
    form(&[
        ("preset", "other"),
        ("name", "relay"),
        ("host", "127.0.0.1"),
        ("port", "9"),
        ("tls", "none"),
        ("from", from),
        ("changed", changed),
        ("seen", seen),
    ])
}

fn template(html: &str, seen: &str) -> Form {
    let text = "{{ otp }}\n\n@{{ code_domain }} #{{ otp }}\n";
    form(&[
        ("seen", seen),
        ("subject", "Code {{ otp }}"),
        ("html", html),
        ("text", text),
        ("do", "activate"),
    ])
}

/// What stands between two marks of a page.
fn between(page: &str, begin: &str, end: &str) -> String {
    let after = page
        .split_once(begin)
        .unwrap_or_else(|| panic!("{begin}: {page}"));
    after.1.split_once(end).unwrap().0.to_owned()
}

/// Posts, and expects the newest entry of the audit to be another one that says so.
async fn changes(owner: &mut Visitor, path: &str, form: &Form, told: &[&str]) {
    let before = newest(owner).await;
    let pairs = form
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    let borrowed: Vec<_> = pairs.collect();
    let answer = owner.post(path, &borrowed).await;
    assert!(answer.status < 400, "{path}: {}", answer.text);
    let after = newest(owner).await;
    assert_ne!(before, after, "{path} left no trace: {}", answer.text);
    for text in told {
        assert!(after.contains(text), "{path} lacks {text}: {after}");
    }
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one change after another, in one story"
)]
async fn every_change_of_an_owner_leaves_an_entry_with_before_and_after() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let mut reader = site.visitor();
    reader
        .accept(&site.invite("reader@example.com", "owner"))
        .await;
    let client = site.server.credentials().client_id.clone();
    let mut walked = Vec::new();
    let mut go = async |route: &'static str, path: String, form: Form, told: &[&str]| {
        walked.push(route);
        changes(&mut owner, &path, &form, told).await;
    };
    let plain = |route: &'static str| (route, route.to_owned());

    let settings = [
        (
            "/dashboard/authentication",
            "/dashboard/authentication",
            ("expires_in", "240s"),
        ),
        (
            "/dashboard/emails/branding",
            "/dashboard/emails/branding",
            ("app_name", "Tea"),
        ),
        (
            "/dashboard/suppression/rules",
            "/dashboard/suppression",
            ("suppress_for", "7200s"),
        ),
    ];
    for (route, on, (name, value)) in settings {
        let page = settings_on(&mut reader, on, &[(name, value)]).await;
        let new = format!("<ins>{value}");
        let told = ["Changed a setting", name, "<del>", new.as_str()];
        go(route, route.to_owned(), page, &told).await;
    }

    let (route, path) = plain("/dashboard/emails/add");
    go(
        route,
        path,
        provider("a@example.com", "", ""),
        &["Connected a provider"],
    )
    .await;
    let held = reader.get("/dashboard/emails/add?name=relay").await.text;
    let seen = between(&held, "name=\"seen\" value=\"", "\"");
    let (route, path) = plain("/dashboard/emails/add");
    let told = [
        "Changed a provider",
        "<del>",
        "a@example.com",
        "b@example.com",
    ];
    go(
        route,
        path,
        provider("b@example.com", "relay", &seen),
        &told,
    )
    .await;
    let mut spare = provider("c@example.com", "", "");
    spare[1].1 = "spare".to_owned();
    let (route, path) = plain("/dashboard/emails/add");
    go(route, path, spare, &["spare"]).await;
    let (route, path) = plain("/dashboard/emails/order");
    go(
        route,
        path,
        form(&[("name", "spare"), ("to", "up")]),
        &["Changed a provider"],
    )
    .await;
    let (route, path) = plain("/dashboard/emails/test");
    let mail = form(&[("name", "relay"), ("to", "ada@example.com")]);
    go(
        route,
        path,
        mail,
        &["Sent a test mail", "relay", "not taken, to ada@example.com"],
    )
    .await;
    let (route, path) = plain("/dashboard/quickstart/send");
    let told = ["Sent a trial sign-in mail", "someone@example.com"];
    go(route, path, form(&[("email", told[1])]), &told).await;
    let (route, path) = plain("/dashboard/emails/remove");
    go(
        route,
        path,
        form(&[("name", "spare")]),
        &["Removed a provider", "spare"],
    )
    .await;
    let (route, path) = plain("/dashboard/emails/callbacks");
    let hook = form(&[("provider", "mailgun"), ("secret", "key-0123456789abcdef")]);
    go(route, path, hook, &["Takes callbacks", "mailgun"]).await;
    let (route, path) = plain("/dashboard/emails/callbacks/remove");
    go(
        route,
        path,
        form(&[("provider", "mailgun")]),
        &["Takes callbacks no more"],
    )
    .await;
    let (route, path) = plain("/dashboard/emails/dkim");
    go(
        route,
        path,
        form(&[("domain", "example.com")]),
        &["Made a DKIM key"],
    )
    .await;
    let page = reader.get("/dashboard/emails/dkim").await.text;
    let selector = between(&page, "name=\"selector\" value=\"", "\"");
    let (route, path) = plain("/dashboard/emails/dkim/remove");
    let key = form(&[("domain", "example.com"), ("selector", &selector)]);
    go(route, path, key, &["Removed a DKIM key"]).await;

    let editor = "/dashboard/emails/templates/signin_otp";
    for (html, seen) in [("<p>{{ otp }}</p>", "0"), ("<b>{{ otp }}</b>", "1")] {
        let route = "/dashboard/emails/templates/{id}";
        go(
            route,
            editor.to_owned(),
            template(html, seen),
            &["mail template"],
        )
        .await;
    }
    let route = "/dashboard/emails/templates/{id}/use";
    go(
        route,
        format!("{editor}/use"),
        form(&[("version", "1")]),
        &["in force"],
    )
    .await;
    let route = "/dashboard/emails/templates/{id}/revert";
    go(
        route,
        format!("{editor}/revert"),
        Form::new(),
        &["in force"],
    )
    .await;

    let (route, path) = plain("/dashboard/suppression/add");
    let address = form(&[("address", "eve@example.com"), ("note", "asked")]);
    go(
        route,
        path,
        address.clone(),
        &["Suppressed an address", "eve@example.com"],
    )
    .await;
    let (route, path) = plain("/dashboard/suppression/remove");
    go(route, path, address, &["off the suppression list"]).await;
    let (route, path) = plain("/dashboard/logs/forget");
    send(&site, "bob@example.com").await;
    go(
        route,
        path,
        form(&[("email", "bob@example.com")]),
        &["Forgot an address"],
    )
    .await;

    let (route, path) = plain("/dashboard/applications");
    go(
        route,
        path,
        form(&[("name", "Shop")]),
        &["Made an application", "Shop"],
    )
    .await;
    let route = "/dashboard/applications/{id}/rotate";
    let path = format!("/dashboard/applications/{client}/rotate");
    go(
        route,
        path,
        form(&[("overlap", "0")]),
        &["Changed an application"],
    )
    .await;
    let route = "/dashboard/applications/{id}/revoke";
    let path = format!("/dashboard/applications/{client}/revoke");
    go(route, path, Form::new(), &["Revoked an application"]).await;

    let (route, path) = plain("/dashboard/admins/add");
    let grace = form(&[("email", "grace@example.com"), ("role", "viewer")]);
    go(
        route,
        path,
        grace,
        &["Let an admin in", "grace@example.com"],
    )
    .await;
    let (route, path) = plain("/dashboard/admins/role");
    let grace = form(&[("email", "grace@example.com"), ("role", "owner")]);
    go(
        route,
        path,
        grace.clone(),
        &["Changed a role", "viewer", "owner"],
    )
    .await;
    let (route, path) = plain("/dashboard/admins/remove");
    go(route, path, grace, &["Removed an admin"]).await;
    let mut viewer = site.visitor();
    viewer
        .accept(&site.invite("viewer@example.com", "viewer"))
        .await;
    let page = reader.get("/dashboard/admins").await.text;
    let sessions = page.split_once("aria-label=\"Sessions\"").unwrap().1;
    let row = sessions.split_once("viewer@example.com").unwrap().1;
    let session = between(row, "name=\"session\" value=\"", "\"");
    let (route, path) = plain("/dashboard/sessions/end");
    go(
        route,
        path,
        form(&[("session", &session)]),
        &["Ended a session"],
    )
    .await;

    let (route, path) = plain("/dashboard/keys/signing/rotate");
    go(route, path, Form::new(), &["signing key"]).await;
    let page = reader.get("/dashboard/keys").await.text;
    let kid = between(&page, "name=\"kid\" value=\"", "\"");
    let (route, path) = plain("/dashboard/keys/signing/drop");
    go(route, path, form(&[("kid", &kid)]), &["signing key"]).await;
    let (route, path) = plain("/dashboard/keys/root/reseal");
    go(route, path, Form::new(), &["Sealed secrets anew"]).await;

    let routes = Dashboard::routes()
        .into_iter()
        .filter(|(method, _, access)| {
            *method == Method::POST && matches!(access, Access::Owner | Access::Proven)
        });
    let left: Vec<_> = routes
        .map(|(_, path, _)| path)
        .filter(|path| !walked.contains(path))
        .filter(|path| !NO_CHANGES.contains(path) && !ELSEWHERE.contains(path))
        .collect();
    assert_eq!(
        left,
        Vec::<&str>::new(),
        "a route that this test does not know"
    );
}

#[tokio::test]
async fn a_root_key_that_nothing_names_is_retired_and_the_audit_tells() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for step in [["add"].as_slice(), &["promote", "2"]] {
        let done = site.server.admin(&[&["keys", "root"], step].concat());
        assert!(done.status.success(), "{done:?}");
    }
    let retire = "/dashboard/keys/root/retire";
    let first = form(&[("kid", "1")]);
    let early = owner.post(retire, &[("kid", "1")]).await;
    assert!(
        early.text.contains("still named by what is kept"),
        "{early:?}"
    );
    let reseal = "/dashboard/keys/root/reseal";
    changes(&mut owner, reseal, &Form::new(), &["Sealed secrets anew"]).await;
    changes(&mut owner, retire, &first, &["Retired a root key"]).await;
    let page = owner.get("/dashboard/keys?look=1").await.text;
    assert!(
        page.contains("Root 2") && !page.contains("Root 1"),
        "{page}"
    );
}

#[tokio::test]
async fn an_export_of_the_log_is_in_the_audit() {
    let site = Site::start();
    let mut owner = site.owner().await;
    owner
        .get("/dashboard/logs/export?format=jsonl&status=FAILED")
        .await;
    let told = newest(&mut owner).await;
    for text in [
        "Exported the authentication log",
        "authentication-log.jsonl",
        "status=FAILED",
    ] {
        assert!(told.contains(text), "{text}: {told}");
    }
}

#[tokio::test]
async fn what_the_audit_says_about_a_forgotten_address_names_it_no_more() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let long = "n".repeat(5000);
    let eve = [("address", "eve@example.com"), ("note", long.as_str())];
    owner.post("/dashboard/suppression/add", &eve).await;
    let told = newest(&mut owner).await;
    assert!(told.contains("eve@example.com"), "{told}");
    assert_eq!(
        told.matches('n').count() / 300,
        1,
        "the note is cut: {told}"
    );
    let export = "/dashboard/logs/export?email=eve%40example.com";
    owner.get(export).await;
    let forget = [("email", "eve@example.com")];
    owner.post("/dashboard/logs/forget", &forget).await;
    let page = owner.get("/dashboard/audit").await.text;
    assert!(page.contains("(forgotten)"), "{page}");
    for spelling in ["eve@example.com", "eve%40example.com"] {
        assert!(!page.contains(spelling), "{page}");
    }
}
