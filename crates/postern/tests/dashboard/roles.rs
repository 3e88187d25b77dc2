//! Every page, walked over by who may not see it.

use http::Method;
use postern::dashboard::{Access, Dashboard};

use crate::site::{Seen, Site, Visitor};

/// A path with something in the places of its names.
pub(crate) fn filled(path: &str) -> String {
    path.replace("{id}", "none")
        .replace("{name}", "style.css")
        .replace("{file}", "node.md")
}

/// Looks at a page, or sends it an empty form.
pub(crate) async fn visit(visitor: &mut Visitor, method: &Method, path: &str) -> Seen {
    if *method == Method::GET {
        visitor.get(path).await
    } else {
        visitor.post(path, &[]).await
    }
}

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_sign_in() {
    let site = Site::start();
    let mut stranger = site.visitor();
    let mut walked = 0;
    for (method, path, access) in Dashboard::routes() {
        if access != Access::Anyone {
            let seen = visit(&mut stranger, &method, &filled(path)).await;
            assert!(
                seen.leads_to("/dashboard/sign-in?"),
                "{method} {path}: {}",
                seen.status
            );
            walked += 1;
        }
    }
    assert!(walked > 40);
}

#[tokio::test]
async fn a_viewer_sees_and_changes_nothing() {
    let site = Site::start();
    let mut viewer = site.viewer().await;
    let client = &site.server.credentials().client_id;
    let before = viewer.get("/dashboard/audit").await.text;
    for (method, path, access) in Dashboard::routes() {
        if path == "/dashboard/sign-out" {
            continue;
        }
        let path = path.replace("applications/{id}", &format!("applications/{client}"));
        let seen = visit(&mut viewer, &method, &filled(&path)).await;
        let refused = seen.status == 403;
        let owners = matches!(access, Access::Owner | Access::Proven);
        assert_eq!(refused, owners, "{method} {path}: {}", seen.status);
        let secret = &site.server.credentials().client_secret;
        assert!(
            !seen.text.contains(secret.as_str()),
            "{path} shows a secret"
        );
    }
    let after = viewer.get("/dashboard/audit").await.text;
    // That the log was taken out is written down too.
    let exported = |row: &&str| !row.contains("Exported the authentication log");
    let rows = |page: &str| {
        let rows = page.split_once("<tbody>").unwrap().1.split("<tr>");
        rows.filter(exported).collect::<String>()
    };
    assert_eq!(rows(&after), rows(&before));
}

#[tokio::test]
async fn what_another_site_sends_is_refused_on_every_page() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for (method, path, access) in Dashboard::routes() {
        if method == Method::GET {
            continue;
        }
        let path = filled(path);
        for origin in [Some("https://evil.example"), Some("null"), None] {
            let seen = owner.post_from(origin, &path, &[]).await;
            assert_eq!(seen.status, 403, "{path} from {origin:?}");
        }
        if access != Access::Anyone {
            let csrf = std::mem::replace(&mut owner.csrf, "guessed".to_owned());
            assert_eq!(
                owner.post(&path, &[]).await.status,
                403,
                "{path} without its token"
            );
            owner.csrf = csrf;
        }
    }
    assert_eq!(owner.get("/dashboard").await.status, 200, "still signed in");
}

#[tokio::test]
async fn every_page_keeps_out_frames_scripts_and_caches() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for (method, path, _) in Dashboard::routes() {
        if method != Method::GET || path.ends_with("/html") || path.contains("assets") {
            continue;
        }
        let seen = owner.get(&filled(path)).await;
        let policy = seen.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(seen.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(seen.header("cache-control"), "no-store", "{path}");
        assert!(
            !seen.text.contains("<script>") && !seen.text.contains(" style=\""),
            "{path}"
        );
        assert!(!seen.text.contains(" onclick="), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_page_is_dressed_as_pages_are() {
    let site = Site::start();
    let mut stranger = site.visitor();
    for (method, path, status) in [
        (Method::GET, "/dashboard/", 404),
        (Method::GET, "/dashboard/nothing", 404),
        (Method::GET, "/dashboard/logs/one/two", 404),
        (Method::POST, "/dashboard/nothing/at/all", 404),
        (Method::GET, "/dashboard/emails/templates/%ff", 404),
        (Method::POST, "/dashboard/logs", 405),
        (Method::GET, "/dashboard/sign-out", 405),
        (Method::GET, "/dashboard/assets/none", 404),
    ] {
        let seen = visit(&mut stranger, &method, path).await;
        assert_eq!(seen.status, status, "{method} {path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
        ] {
            assert_eq!(seen.header(name), value, "{method} {path}: {name}");
        }
        let policy = seen.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        let strict = seen.header("strict-transport-security");
        assert_eq!(strict, "", "{path}: not where there is no TLS");
    }
}

#[tokio::test]
async fn a_long_form_is_read_only_of_who_may_send_it() {
    let site = Site::start();
    let long = "x".repeat(200 << 10);
    let form = [("html", &*long), ("do", "draft")];
    let path = "/dashboard/emails/templates/signin_otp";
    let mut owner = site.owner().await;
    assert!(owner.post(path, &form).await.leads_to(path));
    let mut viewer = site.viewer().await;
    let seen = viewer.post(path, &form).await;
    assert!(seen.text.contains("is over 8 KiB"), "{seen:?}");
}
