//! A development server, and a visitor who keeps cookies as a browser does.

use std::collections::BTreeMap;
use std::process::Command;

use postern_testkit::process::{Plan, Server};
use reqwest::redirect::Policy;
use serde_json::Value;

/// The cookie of a session, over plain HTTP.
pub(crate) const SESSION: &str = "postern-dev-session";

const POSTERN: &str = env!("CARGO_BIN_EXE_postern");

/// A running server.
pub(crate) struct Site {
    pub(crate) server: Server,
    pub(crate) url: String,
}

impl Site {
    pub(crate) fn start() -> Self {
        Self::set(&[])
    }

    /// A server with these settings.
    pub(crate) fn set(settings: &[(&str, &str)]) -> Self {
        Self::planned(Plan::new(POSTERN), settings)
    }

    /// A server that speaks TLS, with a certificate that nobody knows.
    pub(crate) fn over_tls() -> Self {
        Self::planned(Plan::new(POSTERN).tls(), &[])
    }

    fn planned(plan: Plan, settings: &[(&str, &str)]) -> Self {
        let plan = plan.set("settings.sends_per_minute", "20");
        let plan = settings.iter().fold(plan, |plan, (name, value)| {
            plan.set(&format!("settings.{name}"), value)
        });
        let server = plan.start();
        let url = server.credentials().url.clone();
        Self { server, url }
    }

    /// A visitor without a session.
    pub(crate) fn visitor(&self) -> Visitor {
        let http = reqwest::Client::builder()
            .redirect(Policy::none())
            .tls_danger_accept_invalid_certs(true);
        Visitor {
            http: http.build().unwrap(),
            url: self.url.clone(),
            cookies: BTreeMap::new(),
            csrf: String::new(),
        }
    }

    /// Stops the server, so that its data can be worked on.
    pub(crate) fn stop(&mut self) {
        assert!(self.server.stop().success());
    }

    /// Starts it again, at another address.
    pub(crate) fn start_again(&mut self) {
        self.server.start_again();
        self.url.clone_from(&self.server.credentials().url);
    }

    /// The address that the server printed at its last start.
    pub(crate) fn printed(&self) -> String {
        let told = self.server.stdout();
        let lines = told.lines();
        let mut printed = lines.filter_map(|line| line.strip_prefix("Dashboard: "));
        printed.next_back().unwrap().trim().to_owned()
    }

    /// What a command prints.
    pub(crate) fn command(&self, words: &[&str]) -> String {
        let output = Command::new(POSTERN)
            .args(words)
            .current_dir(self.server.data())
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// An address from `postern admin invite`.
    pub(crate) fn invite(&self, email: &str, role: &str) -> String {
        let data = self.server.data();
        let mut command = Command::new(POSTERN);
        command.args(["--json", "admin", "invite", email, "--role", role, "--data"]);
        let output = command.arg(data).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        told["url"].as_str().unwrap().to_owned()
    }

    /// The owner, signed in by what the server printed.
    pub(crate) async fn owner(&self) -> Visitor {
        let mut owner = self.visitor();
        owner.accept(&self.printed()).await;
        owner
    }

    /// The owner and another one.
    pub(crate) async fn two_owners(&self) -> [Visitor; 2] {
        let mut second = self.visitor();
        second
            .accept(&self.invite("second@example.com", "owner"))
            .await;
        [self.owner().await, second]
    }

    /// A viewer, signed in by an invitation.
    pub(crate) async fn viewer(&self) -> Visitor {
        let mut viewer = self.visitor();
        viewer
            .accept(&self.invite("viewer@example.com", "viewer"))
            .await;
        viewer
    }

    /// The newest mail to an address.
    pub(crate) async fn mail(&self, to: &str) -> Value {
        self.mail_after(to, "").await
    }

    /// The newest mail to an address that came after the one with this id.
    pub(crate) async fn mail_after(&self, to: &str, id: &str) -> Value {
        let query = [("to", to), ("after", id), ("wait", "20")];
        self.inbox(&query).await.into_iter().last().unwrap()
    }

    /// The mails to an address that are there.
    pub(crate) async fn mails(&self, to: &str) -> Vec<Value> {
        self.inbox(&[("to", to)]).await
    }

    async fn inbox(&self, query: &[(&str, &str)]) -> Vec<Value> {
        let url = format!("{}/dev/inbox/messages", self.url);
        let answer = reqwest::Client::new().get(url).query(query).send().await;
        answer.unwrap().json().await.unwrap()
    }
}

/// Somebody with a browser.
pub(crate) struct Visitor {
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) csrf: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn leads_to(&self, start: &str) -> bool {
        self.status == 303 && self.header("location").starts_with(start)
    }
}

impl Visitor {
    /// Opens an invitation and presses its button.
    pub(crate) async fn accept(&mut self, invitation: &str) {
        let token = invitation.split_once("token=").unwrap().1;
        let entered = self.post("/dashboard/invite", &[("token", token)]).await;
        assert!(entered.leads_to("/dashboard"), "{entered:?}");
        self.learn().await;
    }

    /// Reads what this session's forms carry.
    pub(crate) async fn learn(&mut self) {
        let page = self.get("/dashboard").await;
        let after = page.text.split_once("name=\"csrf\" value=\"").unwrap().1;
        after.split('"').next().unwrap().clone_into(&mut self.csrf);
    }

    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Sends a form from a page of the dashboard.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let origin = self.url.clone();
        self.post_from(Some(&origin), path, fields).await
    }

    /// Sends a form from a page of another origin.
    pub(crate) async fn post_from(
        &mut self,
        origin: Option<&str>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Seen {
        let mut form = vec![("csrf", self.csrf.clone())];
        form.extend(
            fields
                .iter()
                .map(|(name, text)| (*name, (*text).to_owned())),
        );
        let mut request = self.http.post(format!("{}{path}", self.url)).form(&form);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Seen {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let answer = request.header("cookie", cookies).send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Seen {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            text: answer.text().await.unwrap(),
        }
    }
}
