//! Questions before what cannot be taken back.

use crate::site::Site;

/// Whether every form of the page that posts there is folded behind a question.
fn asks(page: &str, action: &str) -> bool {
    let mark = format!("action=\"{action}\"");
    let mut before = page.match_indices(&mark).map(|(at, _)| &page[..at]);
    before.all(|before| before.rfind("<details") > before.rfind("</details>"))
}

#[tokio::test]
async fn what_hurts_asks_first() {
    let site = Site::start();
    let mut owner = site.owner().await;
    drop(site.viewer().await);
    let client = site.server.credentials().client_id.clone();
    for (path, form) in [
        (
            "/dashboard/emails/add",
            vec![
                ("preset", "other"),
                ("name", "relay"),
                ("host", "127.0.0.1"),
                ("port", "9"),
                ("tls", "none"),
                ("from", "login@example.com"),
            ],
        ),
        (
            "/dashboard/emails/callbacks",
            vec![("provider", "mailgun"), ("secret", "key-0123456789abcdef")],
        ),
        (
            "/dashboard/suppression/add",
            vec![("address", "eve@example.com")],
        ),
    ] {
        assert_eq!(owner.post(path, &form).await.status, 303, "{path}");
    }
    for (page, action) in [
        (
            "/dashboard/emails/callbacks",
            "/dashboard/emails/callbacks/remove",
        ),
        ("/dashboard/suppression", "/dashboard/suppression/remove"),
        ("/dashboard/admins", "/dashboard/sessions/end"),
        ("/dashboard/keys", "/dashboard/keys/signing/rotate"),
        ("/dashboard/keys", "/dashboard/keys/signing/drop"),
        (
            "/dashboard/logs/why?email=a@b.example",
            "/dashboard/logs/forget",
        ),
    ] {
        let page = owner.get(page).await.text;
        assert!(
            page.contains(&format!("action=\"{action}\"")),
            "{action}: {page}"
        );
        assert!(asks(&page, action), "{action}: {page}");
    }
    // These have a page of their own for the question.
    let revoke = format!("/dashboard/applications/{client}/revoke");
    for (list, asked, action) in [
        (
            "/dashboard/emails",
            "/dashboard/emails/remove?name=relay",
            "/dashboard/emails/remove",
        ),
        (
            "/dashboard/admins",
            "/dashboard/admins/remove?email=viewer%40example.com",
            "/dashboard/admins/remove",
        ),
        ("/dashboard/applications", &revoke, &revoke),
    ] {
        let form = format!("method=\"post\" action=\"{action}\"");
        let page = owner.get(list).await.text;
        assert!(
            !page.contains(&form) && page.contains(asked),
            "{action}: {page}"
        );
        let page = owner.get(asked).await.text;
        assert!(
            page.contains(&form) && page.contains("?</h1>"),
            "{action}: {page}"
        );
    }
}
