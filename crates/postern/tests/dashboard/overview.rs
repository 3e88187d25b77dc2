//! The overview: what it counts.

use serde_json::{Value, json};

use crate::pages::{awaited, call, token};
use crate::site::Site;

/// An app that calls the API.
struct App<'s> {
    site: &'s Site,
    token: String,
}

impl<'s> App<'s> {
    async fn of(site: &'s Site) -> Self {
        let held = site.server.credentials();
        let token = token(site, &held.client_id, &held.client_secret).await;
        Self {
            site,
            token: token.unwrap(),
        }
    }

    async fn call(&self, verb: &str, body: Value) -> Value {
        call(self.site, &self.token, verb, &body).await
    }

    /// A request and its code.
    async fn ask(&self, email: &str) -> (Value, u32) {
        let sent = self.call("send", json!({ "email": email })).await;
        let mail = self.site.mail(email).await;
        let code = mail["otp"].as_str().unwrap().parse().unwrap();
        (sent["auth_request_id"].clone(), code)
    }

    async fn guess(&self, id: &Value, code: u32) -> Value {
        let code = format!("{:06}", code % 1_000_000);
        let proof = json!({ "auth_request_id": id, "code": code });
        self.call("verify", proof).await
    }
}

fn figure(page: &str, label: &str) -> String {
    let mark = format!("<p class=\"label\">{label}</p><p class=\"value\">");
    let after = page.split_once(&mark).unwrap().1;
    after.split('<').next().unwrap().to_owned()
}

fn told(page: &str, label: &str) -> String {
    let after = page.split_once(&format!("<dt>{label}</dt><dd>")).unwrap().1;
    after.split('<').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_overview_counts_what_became_of_every_request() {
    let mut site = Site::set(&[("sends_per_minute", "2")]);
    let mut owner = site.owner().await;
    let app = App::of(&site).await;
    let (ada, code) = app.ask("ada@example.com").await;
    assert_eq!(app.guess(&ada, code).await["email"], "ada@example.com");
    let (bob, code) = app.ask("bob@example.com").await;
    for n in 1..=5 {
        app.guess(&bob, code + n).await;
    }
    let (eve, _) = app.ask("eve@example.com").await;
    app.call("resend", json!({ "auth_request_id": eve })).await;
    let third = app
        .call("send", json!({ "email": "eve@example.com" }))
        .await;
    assert_eq!(third["details"][0]["error_code"], "RATE_LIMITED");

    // Refused calls are written down by the minute, and when the server ends.
    site.stop();
    site.start_again();
    owner.url.clone_from(&site.url);

    let sent = "<p class=\"label\">Mails sent</p><p class=\"value\">4<";
    awaited(&mut owner, "/dashboard?period=1h", sent).await;
    let refused = "<dt>Calls refused by a limit</dt><dd>1<";
    for period in ["1h", "24h", "7d", "30d"] {
        let path = format!("/dashboard?period={period}");
        let page = awaited(&mut owner, &path, refused).await;
        for (label, count) in [("Requested", "3"), ("Verified", "1"), ("Failed", "1")] {
            assert_eq!(figure(&page, label), count, "{period}: {label}");
        }
        for (label, count) in [("Wrong codes", "5"), ("Requests ended by wrong codes", "1")] {
            assert_eq!(told(&page, label), count, "{period}: {label}");
        }
        assert!(page.contains("and 1 resends"), "{period}: {page}");
        assert!(page.contains("Half of the proofs came"), "{period}: {page}");
    }
}

#[tokio::test]
async fn the_overview_tells_of_a_provider_in_trouble_and_of_the_mail_that_waits_for_it() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let page = owner.get("/dashboard").await.text;
    assert!(page.contains("No proof came yet."), "{page}");
    assert_eq!(told(&page, "Mails waiting"), "0");
    assert_eq!(told(&page, "Oldest waits for"), "–");
    let provider = [
        ("preset", "other"),
        ("name", "gone"),
        ("host", "127.0.0.1"),
        // Nobody listens on it.
        ("port", "9"),
        ("tls", "none"),
        ("from", "login@example.com"),
    ];
    owner.post("/dashboard/emails/add", &provider).await;
    let app = App::of(&site).await;
    app.call("send", json!({ "email": "ada@example.com" }))
        .await;
    let page = awaited(&mut owner, "/dashboard", "In trouble").await;
    assert!(page.contains("Last trouble"), "{page}");
    let page = awaited(&mut owner, "/dashboard", "<dt>Mails waiting</dt><dd>1<").await;
    assert_ne!(told(&page, "Oldest waits for"), "–");
}
