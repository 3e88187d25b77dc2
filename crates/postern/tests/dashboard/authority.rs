//! Whoever loses their role, their session or their place is out at once, whatever is under way.

use postern_testkit::process::Server;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::entering::AWAITED;
use crate::pages::send;
use crate::site::{SESSION, Site, Visitor};

/// A form whose last byte is held back.
struct Held {
    stream: TcpStream,
    last: u8,
}

impl Held {
    async fn of(visitor: &Visitor, path: &str, fields: &[(&str, &str)]) -> Self {
        let csrf = [("csrf", &*visitor.csrf)];
        let fields = fields.iter().copied().chain(csrf);
        let written = |(name, value): (&str, &str)| format!("{name}={value}");
        let body: Vec<String> = fields.map(written).collect();
        let body = body.join("&");
        let cookies = visitor.cookies.iter();
        let cookies = cookies.map(|(name, value)| written((name, value)));
        let cookies: Vec<String> = cookies.collect();
        let (origin, cookies) = (&visitor.url, cookies.join("; "));
        let host = origin.split_once("://").unwrap().1;
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nCookie: {cookies}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let (most, last) = body.as_bytes().split_at(body.len() - 1);
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(most).await.unwrap();
        let last = last[0];
        Self { stream, last }
    }

    /// Sends it, and reads the answer.
    async fn answer(mut self) -> String {
        self.stream.write_all(&[self.last]).await.unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

fn written(name: &str) -> String {
    name.replace('@', "%40")
}

#[tokio::test]
async fn an_owner_who_is_removed_while_their_form_arrives_does_not_put_themselves_back() {
    let site = Site::start();
    let [mut owner, second] = site.two_owners().await;
    let me = written("second@example.com");
    let form = [("email", &*me), ("role", "owner")];
    let held = Held::of(&second, "/dashboard/admins/add", &form).await;
    // The server has read the head by the time it answers this.
    owner.get("/dashboard").await;
    let gone = [("email", "second@example.com")];
    let removed = owner.post("/dashboard/admins/remove", &gone).await;
    assert!(removed.leads_to("/dashboard/admins?done=removed"));
    let answer = held.answer().await;
    assert!(answer.contains("location: /dashboard/sign-in"), "{answer}");
    let admins = owner.get("/dashboard/admins").await.text;
    assert!(!admins.contains("second@example.com"), "{admins}");
}

#[tokio::test]
async fn an_owner_who_becomes_a_viewer_while_their_form_arrives_changes_nothing() {
    let site = Site::start();
    let [mut owner, second] = site.two_owners().await;
    let me = written("second@example.com");
    let form = [("email", &*me), ("role", "owner")];
    let held = Held::of(&second, "/dashboard/admins/role", &form).await;
    owner.get("/dashboard").await;
    let form = [("email", "second@example.com"), ("role", "viewer")];
    let changed = owner.post("/dashboard/admins/role", &form).await;
    assert!(changed.leads_to("/dashboard/admins?done=role"));
    let answer = held.answer().await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn the_link_of_an_invitation_opens_the_first_session_in_any_browser_and_by_a_button_alone() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("email", "grace@example.com"), ("role", "viewer")];
    owner.post("/dashboard/admins/add", &form).await;
    let mail = site.mail("grace@example.com").await;
    assert_eq!(mail["otp"], serde_json::Value::Null, "{mail}");
    let link = mail["link"].as_str().unwrap();
    let path = link.strip_prefix(&site.url).unwrap();
    let mut grace = site.visitor();
    let page = grace.get(path).await.text;
    assert!(page.contains("Sign me in"), "{page}");
    assert!(grace.get("/dashboard").await.leads_to("/dashboard/sign-in"));
    let field = |name: &str| {
        let (_, after) = page
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let (token, request) = (field("link_token"), field("request"));
    let form = [("link_token", &*token), ("request", &*request)];
    let entered = grace.post("/dashboard/sign-in/code", &form).await;
    assert!(entered.leads_to("/dashboard"), "{entered:?}");
    assert_eq!(grace.get("/dashboard").await.status, 200);
    let mut thief = site.visitor();
    let again = thief.post("/dashboard/sign-in/code", &form).await;
    assert_eq!(again.status, 200, "once");
}

#[tokio::test]
async fn the_link_of_a_sign_in_stays_with_the_browser_that_asked() {
    let site = Site::start();
    let mut owner = site.owner().await;
    owner.post("/dashboard/sign-out", &[]).await;
    let form = [("email", "owner@example.com")];
    owner.post("/dashboard/sign-in", &form).await;
    let mail = site.mail("owner@example.com").await;
    let token = mail["link_token"].as_str().unwrap();
    let asked = owner.cookies[AWAITED].clone();
    let mut stranger = site.visitor();
    let mut second = site.visitor();
    second
        .accept(&site.invite("two@example.com", "owner"))
        .await;
    let held = second.cookies[SESSION].clone();
    // Naming the request, as an invitation does, is no way round it.
    for request in ["", &*asked] {
        let form = [("link_token", token), ("request", request)];
        for other in [&mut stranger, &mut second] {
            let refused = other.post("/dashboard/sign-in/code", &form).await;
            assert!(refused.text.contains("not right"), "{refused:?}");
        }
    }
    assert!(!stranger.cookies.contains_key(SESSION));
    assert_eq!(second.cookies[SESSION], held);
    let form = [("link_token", token)];
    let entered = owner.post("/dashboard/sign-in/code", &form).await;
    assert!(entered.leads_to("/dashboard"), "{entered:?}");
}

#[tokio::test]
async fn who_is_removed_and_let_in_again_signs_in_anew() {
    let site = Site::start();
    let [mut owner, mut second] = site.two_owners().await;
    let form = [("email", "second@example.com"), ("role", "viewer")];
    owner.post("/dashboard/admins/remove", &form[..1]).await;
    owner.post("/dashboard/admins/add", &form).await;
    let seen = second.get("/dashboard").await;
    assert!(seen.leads_to("/dashboard/sign-in"), "{}", seen.status);
}

#[tokio::test]
async fn a_viewer_does_not_read_what_opens_the_test_identities() {
    let site = Site::start();
    let mut owner = site.owner().await;
    set(&site.server, "test_code=918273");
    let mut viewer = site.viewer().await;
    let page = "/dashboard/authentication";
    assert!(owner.get(page).await.text.contains("918273"));
    for page in [page, "/dashboard/audit"] {
        let seen = viewer.get(page).await.text;
        assert!(!seen.contains("918273"), "{page}");
    }
    let audit = viewer.get("/dashboard/audit").await.text;
    assert!(audit.contains("one code") && audit.contains("another"));
}

#[tokio::test]
async fn limits_for_everybody_keep_no_mail_from_an_admin() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for changed in ["sends_per_minute=1", "sends_per_hour=1", "sends_per_day=1"] {
        set(&site.server, changed);
    }
    let mut last = String::new();
    for _ in 0..2 {
        let form = [("email", "owner@example.com")];
        site.visitor().post("/dashboard/sign-in", &form).await;
        let mail = site.mail_after("owner@example.com", &last).await;
        mail["id"].as_str().unwrap().clone_into(&mut last);
    }
    assert_eq!(owner.get("/dashboard").await.status, 200);
}

#[tokio::test]
async fn a_moment_that_is_none_is_told_and_nothing_is_taken_out() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    for (wrong, told) in [
        ("from=2026-02-30T00:00", "is no date and time"),
        ("to=yesterday", "is no date and time"),
        (
            "from=2026-02-02T00:00&to=2026-02-01T00:00",
            "runs backwards",
        ),
        ("email=ada", "Give the whole address"),
    ] {
        let file = owner.get(&format!("/dashboard/logs/export?{wrong}")).await;
        assert_eq!(file.status, 400, "{wrong}: {}", file.text);
        let list = owner.get(&format!("/dashboard/logs?{wrong}")).await;
        assert!(list.text.contains(told), "{wrong}: {}", list.text);
    }
}

fn set(server: &Server, pair: &str) {
    let done = server.admin(&["settings", "set", pair]);
    assert!(done.status.success(), "{done:?}");
}
