//! The page between a mail and the app, as browsers and scanners meet it.

use std::time::Duration;

use http::{Method, StatusCode};
use postern_core::keyring::Binding;
use serde_json::{Value, json};

use crate::support::{
    ISSUER, Server,
    http::{Answer, http1},
};

const SEND: &str = "/api/v1/passwordless/email/send";

/// A server with a mail out, and where its page is.
struct Mailed {
    server: Server,
    auth_request_id: String,
}

impl Mailed {
    async fn new(variables: Value) -> Self {
        let server = Server::start().await;
        let settings = [("passwordless_type", "LINK_OTP"), ("app_name", "Acme")];
        let changes = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        server
            .app
            .postern
            .change_settings(changes.into())
            .await
            .unwrap();
        let body = json!({
            "email": "ada@example.com",
            "magiclink_auth_uri": "https://app.example.com/in?x=1",
            "template_variables": variables,
        });
        let sent = api(&server, SEND, &body).await;
        let auth_request_id = sent["auth_request_id"].as_str().unwrap().to_owned();
        Self {
            server,
            auth_request_id,
        }
    }

    /// The path of the page of the newest mail.
    async fn path(&self) -> String {
        let keyring = self.server.app.postern.keyring();
        let id = keyring.read_handle(&self.auth_request_id).unwrap();
        let request = self.server.app.postern.store().find_auth_request(id).await;
        let request = request.unwrap().unwrap();
        let token = keyring.page_token(&Binding::new(&request, request.generation));
        let address = postern::confirm::address(ISSUER, &token.unwrap());
        address.strip_prefix(ISSUER).unwrap().to_owned()
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        http1(self.server.addr, method, path, headers, String::new()).await
    }

    async fn verify(&self, token: &str) -> Value {
        let path = "/api/v1/passwordless/email/verify";
        api(&self.server, path, &json!({"link_token": token})).await
    }
}

async fn api(server: &Server, path: &str, body: &Value) -> Value {
    let bearer = format!("Bearer {}", server.token().await);
    let headers = [
        ("content-type", "application/json"),
        ("authorization", bearer.as_str()),
    ];
    http1(server.addr, Method::POST, path, &headers, body.to_string())
        .await
        .json()
}

fn html(answer: &Answer) -> String {
    assert_eq!(
        answer.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let body = String::from_utf8(answer.body.to_vec()).unwrap();
    body.replace("&#x2f;", "/")
}

#[tokio::test]
async fn the_button_needs_no_script_and_leads_to_the_app_with_the_token() {
    let mailed = Mailed::new(json!({})).await;
    let path = mailed.path().await;
    let page = mailed.ask(Method::GET, &path, &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    let body = html(&page);
    for said in [
        "Acme",
        "ada@example.com",
        "<form method=\"post\"><button type=\"submit\">Sign in",
    ] {
        assert!(body.contains(said), "{said}: {body}");
    }
    assert!(
        !body.contains("<script") && !body.contains("link_token"),
        "{body}"
    );

    let pressed = mailed.ask(Method::POST, &path, &[("origin", ISSUER)]).await;
    assert_eq!(pressed.status, StatusCode::SEE_OTHER);
    assert_eq!(pressed.header("cache-control"), Some("no-store"));
    assert_eq!(pressed.header("referrer-policy"), Some("no-referrer"));
    let onward = pressed.header("location").unwrap();
    let token = onward
        .strip_prefix("https://app.example.com/in?x=1&link_token=")
        .unwrap();
    assert_eq!(mailed.verify(token).await["email"], "ada@example.com");
}

#[tokio::test]
async fn scanners_may_look_as_often_and_in_whatever_way_they_like() {
    let mailed = Mailed::new(json!({})).await;
    let path = mailed.path().await;
    let scanners: [(Method, &[(&str, &str)]); 6] = [
        (Method::HEAD, &[]),
        (
            Method::GET,
            &[("user-agent", "Mozilla/5.0 (compatible; SafeLinks)")],
        ),
        (
            Method::GET,
            &[("user-agent", "BarracudaCentral"), ("accept", "*/*")],
        ),
        (Method::GET, &[("sec-purpose", "prefetch;prerender")]),
        (
            Method::GET,
            &[("purpose", "prefetch"), ("x-moz", "prefetch")],
        ),
        (Method::GET, &[("range", "bytes=0-99")]),
    ];
    let looks = scanners.iter().cycle().take(24);
    let looks = looks.map(|(method, headers)| mailed.ask(method.clone(), &path, headers));
    for look in futures_util::future::join_all(looks).await {
        assert_eq!(look.status, StatusCode::OK);
    }
    let pressed = mailed.ask(Method::POST, &path, &[]).await;
    assert_eq!(
        pressed.status,
        StatusCode::SEE_OTHER,
        "the link still works"
    );
}

#[tokio::test]
async fn the_page_is_kept_nowhere_runs_nothing_and_asks_nobody_else() {
    let mailed = Mailed::new(json!({"app_logo_url": "https://cdn.example/logo.png"})).await;
    let page = mailed.ask(Method::GET, &mailed.path().await, &[]).await;
    for (name, value) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-robots-tag", "noindex"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "img-src 'none'",
        "form-action 'self' https://app.example.com;",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("script-src"),
        "{policy}"
    );
    assert!(
        !html(&page).contains("cdn.example"),
        "a third party hears nothing"
    );
}

#[tokio::test]
async fn the_logo_of_the_app_itself_is_shown() {
    let mailed = Mailed::new(json!({"app_logo_url": "https://app.example.com/logo.png"})).await;
    let page = mailed.ask(Method::GET, &mailed.path().await, &[]).await;
    assert!(html(&page).contains("<img src=\"https://app.example.com/logo.png\" alt=\"Acme\">"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("img-src https://app.example.com;"),
        "{policy}"
    );
}

#[tokio::test]
async fn the_page_wears_what_the_settings_and_the_call_say_of_the_app() {
    let mailed = Mailed::new(json!({ "app_name": "Acme Labs" })).await;
    let branding = [
        ("app_color", "#7a1fa2"),
        ("app_support_email", "help@acme.example"),
    ];
    let changes = branding.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let postern = &mailed.server.app.postern;
    postern.change_settings(changes.into()).await.unwrap();
    let page = mailed.ask(Method::GET, &mailed.path().await, &[]).await;
    let body = html(&page);
    for said in ["Acme Labs", "#7a1fa2", "help@acme.example"] {
        assert!(body.contains(said), "{said}: {body}");
    }
}

#[tokio::test]
async fn another_site_cannot_press_the_button() {
    let mailed = Mailed::new(json!({})).await;
    let path = mailed.path().await;
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let pressed = mailed.ask(Method::POST, &path, &[header]).await;
        assert_eq!(pressed.status, StatusCode::FORBIDDEN, "{header:?}");
        assert_eq!(pressed.header("location"), None);
        assert!(
            html(&pressed).contains("<button"),
            "the person may press it here"
        );
    }
}

#[tokio::test]
async fn what_is_over_is_said_kindly_with_what_to_do_next() {
    let mailed = Mailed::new(json!({})).await;
    let older = mailed.path().await;
    let resend = "/api/v1/passwordless/email/resend";
    api(
        &mailed.server,
        resend,
        &json!({"auth_request_id": mailed.auth_request_id}),
    )
    .await;
    let newer = mailed.path().await;
    over(&mailed, &older, "There is a newer mail").await;

    mailed.server.advance(Duration::from_mins(5));
    over(&mailed, &newer, "This link has expired").await;
}

#[tokio::test]
async fn a_used_link_says_so() {
    let mailed = Mailed::new(json!({})).await;
    let path = mailed.path().await;
    let code = mailed.server.code_of(&mailed.auth_request_id).await;
    let proof = json!({"code": code, "auth_request_id": mailed.auth_request_id});
    api(&mailed.server, "/api/v1/passwordless/email/verify", &proof).await;
    over(&mailed, &path, "This link was already used").await;
}

async fn over(mailed: &Mailed, path: &str, heading: &str) {
    for method in [Method::GET, Method::POST] {
        let page = mailed.ask(method, path, &[]).await;
        assert_eq!(page.status, StatusCode::GONE);
        let body = html(&page);
        assert!(body.contains(heading), "{body}");
        assert!(
            body.contains("href=\"https://app.example.com/\">Back to Acme"),
            "{body}"
        );
        assert!(!body.contains("<form") && page.header("location").is_none());
    }
}

#[tokio::test]
async fn a_forged_link_is_not_found() {
    let mailed = Mailed::new(json!({})).await;
    for path in [
        "/confirm/x",
        "/confirm/%ff",
        "/confirm/AQGiBPR3oHcHhwcHBwcHBwcAAM3aFPNsS3JzvFPN3oHlimw_p",
    ] {
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let page = mailed.ask(method, path, &[]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(
                page.header("content-type"),
                Some("text/html; charset=utf-8")
            );
        }
    }
    let put = mailed.ask(Method::PUT, &mailed.path().await, &[]).await;
    assert_eq!(put.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_page_speaks_the_language_of_the_mail_then_that_of_the_browser() {
    let browser = [("accept-language", "fr")];
    for (variables, lang, said) in [
        (
            json!({"locale": "ar"}),
            "lang=\"ar\" dir=\"rtl\"",
            "تسجيل الدخول إلى Acme",
        ),
        (json!({}), "lang=\"fr\" dir=\"ltr\"", "Connexion à Acme"),
    ] {
        let mailed = Mailed::new(variables).await;
        let page = mailed
            .ask(Method::GET, &mailed.path().await, &browser)
            .await;
        let body = html(&page);
        assert!(body.contains(lang) && body.contains(said), "{body}");
    }
}
