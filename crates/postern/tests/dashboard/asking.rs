//! Questions before what cannot be taken back.

use crate::site::{Site, Visitor};

/// Forms that a question is folded around, and the page they stand on.
const FOLDED: [(&str, &str); 6] = [
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
];

/// Whether every form of the page that posts there is folded behind a question.
fn asks(page: &str, action: &str) -> bool {
    let mark = format!("action=\"{action}\"");
    let mut before = page.match_indices(&mark).map(|(at, _)| &page[..at]);
    before.all(|before| before.rfind("<details") > before.rfind("</details>"))
}

/// Makes something of everything that can be removed.
async fn fill(owner: &mut Visitor) {
    let provider = vec![
        ("preset", "other"),
        ("name", "relay"),
        ("host", "127.0.0.1"),
        ("port", "9"),
        ("tls", "none"),
        ("from", "login@example.com"),
    ];
    let hook = vec![("provider", "mailgun"), ("secret", "key-0123456789abcdef")];
    for (path, form) in [
        ("/dashboard/emails/add", provider),
        ("/dashboard/emails/callbacks", hook),
        (
            "/dashboard/suppression/add",
            vec![("address", "eve@example.com")],
        ),
    ] {
        assert_eq!(owner.post(path, &form).await.status, 303, "{path}");
    }
}

#[tokio::test]
async fn what_hurts_asks_first() {
    let site = Site::start();
    let mut owner = site.owner().await;
    fill(&mut owner).await;
    for (page, action) in FOLDED {
        let page = owner.get(page).await.text;
        let form = format!("action=\"{action}\"");
        assert!(page.contains(&form), "{action}: {page}");
        assert!(asks(&page, action), "{action}: {page}");
    }
}

#[tokio::test]
async fn what_hurts_most_asks_on_a_page_of_its_own() {
    let site = Site::start();
    let mut owner = site.owner().await;
    drop(site.viewer().await);
    fill(&mut owner).await;
    let client = &site.server.credentials().client_id;
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
        assert!(!page.contains(&form), "{action}: {page}");
        assert!(page.contains(asked), "{action}: {page}");
        let page = owner.get(asked).await.text;
        assert!(page.contains(&form), "{action}: {page}");
        assert!(page.contains("?</h1>"), "{action}: {page}");
    }
}
