//! Links survive the software that checks mails.

use futures_util::future::join_all;
use postern_testkit::browser::Browser;
use postern_testkit::process::{Plan, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::app::App;

/// A server whose links lead to its own page.
fn server() -> Server {
    Plan::new(env!("CARGO_BIN_EXE_postern"))
        .set("settings.passwordless_type", "LINK_OTP")
        .set("settings.confirm_page", "true")
        .set("settings.app_name", "Acme")
        .start()
}

struct Mailed {
    http: Client,
    url: String,
    bearer: String,
    link: String,
}

/// Sends a link to the app's page, and reads it in the inbox.
async fn mail(server: &Server, app: &App) -> Mailed {
    let credentials = server.credentials().clone();
    let (http, url) = (Client::new(), credentials.url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &credentials.client_id),
        ("client_secret", &credentials.client_secret),
    ];
    let token: Value = json_of(http.post(format!("{url}/oauth/token")).form(&form)).await;
    let bearer = token["access_token"].as_str().unwrap().to_owned();
    let body = json!({"email": "ada@example.com", "magiclink_auth_uri": format!("{}/in", app.url)});
    let send = http
        .post(format!("{url}/api/v1/passwordless/email/send"))
        .header("accept-language", "de")
        .bearer_auth(&bearer)
        .json(&body);
    json_of(send).await;
    let inbox = format!("{url}/dev/inbox/messages?to=ada@example.com&wait=30");
    let mails = json_of(http.get(inbox)).await;
    let link = first_link(&mails);
    Mailed {
        http,
        url,
        bearer,
        link,
    }
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    request.send().await.unwrap().json().await.unwrap()
}

fn first_link(mails: &Value) -> String {
    let found = mails
        .pointer("/messages/0/link")
        .or(mails.pointer("/0/link"));
    found
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{mails}"))
        .to_owned()
}

impl Mailed {
    async fn verify(&self, token: &str) -> Value {
        let verify = self
            .http
            .post(format!("{}/api/v1/passwordless/email/verify", self.url))
            .bearer_auth(&self.bearer)
            .json(&json!({ "link_token": token }));
        json_of(verify).await
    }

    /// What scanners do without a browser: many of them, at once, in their different ways.
    async fn scan(&self) {
        let agents = [
            "SafeLinks",
            "BarracudaCentral",
            "Mimecast",
            "Proofpoint",
            "GoogleImageProxy",
        ];
        let asks = agents
            .iter()
            .cycle()
            .take(20)
            .enumerate()
            .map(|(at, agent)| {
                let method = if at % 3 == 0 {
                    Method::HEAD
                } else {
                    Method::GET
                };
                let ask = self
                    .http
                    .request(method, &self.link)
                    .header("user-agent", *agent);
                let prefetch = if at % 2 == 0 {
                    "prefetch"
                } else {
                    "prefetch;prerender"
                };
                ask.header("sec-purpose", prefetch).send()
            });
        for answer in join_all(asks).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
    }
}

/// A scanner with a browser runs what the page brings and opens what it links to, presses nothing.
async fn crawl(browser: &Browser, link: &str) {
    browser.visit(link).await;
    let script = "return [...document.querySelectorAll('a[href], link[href], iframe[src]')]
        .map(e => e.href || e.src)";
    for found in browser.run(script).await.as_array().unwrap().clone() {
        browser.visit(found.as_str().unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_every_scanner_opened_still_signs_the_person_in_once() {
    let (server, app) = (server(), App::start().await);
    let mailed = mail(&server, &app).await;
    let browser = Browser::start().await;
    mailed.scan().await;
    crawl(&browser, &mailed.link).await;
    crawl(&browser, &mailed.link).await;
    assert_eq!(
        app.tokens(),
        Vec::<String>::new(),
        "no scanner brought the app a token"
    );

    browser.visit(&mailed.link).await;
    assert_eq!(browser.text("h1").await, "Anmelden bei Acme");
    assert!(browser.text("main").await.contains("ada@example.com"));
    browser.click("button").await;
    assert_eq!(browser.text("h1#app").await, "The app");
    let arrived = browser.url().await;
    let (page, token) = arrived.split_once("?link_token=").unwrap();
    assert_eq!(page, format!("{}/in", app.url));
    assert_eq!(mailed.verify(token).await["email"], "ada@example.com");

    browser.visit(&mailed.link).await;
    assert_eq!(
        browser.text("h1").await,
        "Dieser Link wurde bereits verwendet"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_styled_within_its_own_policy() {
    let (server, app) = (server(), App::start().await);
    let mailed = mail(&server, &app).await;
    let browser = Browser::start().await;
    browser.visit(&mailed.link).await;
    let color = "return getComputedStyle(document.querySelector('button')).backgroundColor";
    assert_eq!(browser.run(color).await, "rgb(26, 86, 219)");
    let inside = "return performance.getEntriesByType('resource').map(e => e.name)
        .filter(name => !name.endsWith('/favicon.ico'))";
    assert_eq!(
        browser.run(inside).await,
        json!([]),
        "nothing else was fetched"
    );
}
