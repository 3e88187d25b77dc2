//! Getting in, staying in, getting out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderValue;
use postern::mail::Templates;
use postern::root_keys::RootKeys;
use postern::world::{SystemClock, SystemEntropy};
use postern_core::flow::{Parts, Postern};
use postern_core::model::{DomainList, NodeId, Role, Snapshot};
use postern_core::ports::Clock;
use postern_store::testing::FrozenClock;
use postern_store::{DataDir, Tuning, connect};

use crate::pages::send;
use crate::site::{SESSION, Seen, Site, Visitor};

/// The cookie of the request whose code is awaited, over plain HTTP.
pub(crate) const AWAITED: &str = "postern-dev-awaited";

#[tokio::test]
async fn the_printed_address_lets_one_person_in_once_and_only_by_its_button() {
    let site = Site::start();
    let printed = site.printed();
    let path = printed.strip_prefix(&site.url).unwrap().to_owned();
    let mut scanner = site.visitor();
    for _ in 0..3 {
        let page = scanner.get(&path).await;
        assert!(page.text.contains("owner@example.com"), "{}", page.text);
    }
    assert!(scanner.cookies.is_empty(), "looking changes nothing");
    let mut owner = site.visitor();
    owner.accept(&printed).await;
    assert_eq!(owner.get("/dashboard").await.status, 200);
    let mut late = site.visitor();
    assert!(
        late.get(&path)
            .await
            .text
            .contains("This invitation is over")
    );
    let token = path.split_once("token=").unwrap().1;
    late.post("/dashboard/invite", &[("token", token)]).await;
    assert!(late.cookies.is_empty());
}

#[tokio::test]
async fn an_admin_signs_in_by_the_code_and_by_the_link_of_postern_s_own_mail() {
    let site = Site::start();
    drop(site.owner().await);
    let mut before = String::new();
    for by_link in [false, true] {
        let mut admin = site.visitor();
        let form = [("email", "Owner@example.com"), ("to", "/dashboard/logs")];
        let sent = admin.post("/dashboard/sign-in", &form).await;
        assert!(
            sent.leads_to("/dashboard/sign-in/code?to=%2Fdashboard%2Flogs"),
            "{sent:?}"
        );
        let mail = site.mail_after("owner@example.com", &before).await;
        mail["id"].as_str().unwrap().clone_into(&mut before);
        let (name, proof) = if by_link {
            let link = mail["link"].as_str().unwrap();
            let page = admin.get(link.strip_prefix(&site.url).unwrap()).await;
            assert!(page.text.contains("Sign me in"));
            assert!(
                !admin.cookies.contains_key(SESSION),
                "the link by itself signs nobody in"
            );
            ("link_token", mail["link_token"].as_str().unwrap())
        } else {
            let wrong = admin
                .post("/dashboard/sign-in/code", &[("code", "000000")])
                .await;
            assert!(wrong.text.contains("not right"), "{}", wrong.text);
            ("code", mail["otp"].as_str().unwrap())
        };
        let mut elsewhere = site.visitor();
        elsewhere
            .post("/dashboard/sign-in/code", &[(name, proof)])
            .await;
        assert!(elsewhere.cookies.is_empty(), "another browser stays out");
        let form = [(name, proof), ("to", "/dashboard/logs")];
        assert!(
            admin
                .post("/dashboard/sign-in/code", &form)
                .await
                .leads_to("/dashboard/logs")
        );
        assert_eq!(admin.get("/dashboard/logs").await.status, 200);
    }
}

#[tokio::test]
async fn who_is_no_admin_sees_what_an_admin_sees_and_stays_out() {
    let site = Site::start();
    drop(site.owner().await);
    let mut stranger = site.visitor();
    let sent = stranger
        .post("/dashboard/sign-in", &[("email", "eve@example.com")])
        .await;
    assert!(sent.leads_to("/dashboard/sign-in/code"));
    let awaited = stranger.cookies["postern-dev-awaited"].clone();
    assert_eq!(awaited.len(), 44, "of the same form as an admin's");
    let refused = stranger
        .post("/dashboard/sign-in/code", &[("code", "123456")])
        .await;
    assert!(refused.text.contains("not right"), "{}", refused.text);
}

/// An answer without what differs from one to the next: its cookies, its name, its time.
fn told(seen: Seen) -> (u16, Vec<(String, String)>, String) {
    let own = ["set-cookie", "x-request-id", "date"];
    let headers = seen.headers.iter();
    let headers = headers.filter(|(name, _)| !own.contains(&name.as_str()));
    let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
    let headers = headers.map(|(name, value)| (name.to_string(), text(value)));
    (seen.status, headers.collect(), seen.text)
}

#[tokio::test]
async fn no_answer_of_a_sign_in_tells_an_admin_from_a_stranger() {
    let site = Site::start();
    drop(site.owner().await);
    let (mut admin, mut stranger) = (site.visitor(), site.visitor());
    let ask = async |visitor: &mut Visitor, email| {
        let form = [("email", email)];
        told(visitor.post("/dashboard/sign-in", &form).await)
    };
    let sent = ask(&mut admin, "owner@example.com").await;
    assert_eq!(sent, ask(&mut stranger, "eve@example.com").await);
    let right = site.mail("owner@example.com").await;
    let right: u32 = right["otp"].as_str().unwrap().parse().unwrap();
    let guess = async |visitor: &mut Visitor, code: u32| {
        let code = format!("{:06}", code % 1_000_000);
        let form = [("code", &*code)];
        told(visitor.post("/dashboard/sign-in/code", &form).await)
    };
    // From the fifth on it is used up, the right code too.
    for n in (1..=6).chain([0]) {
        let seen = guess(&mut admin, right + n).await;
        assert_eq!(seen, guess(&mut stranger, right + n).await, "guess {n}");
    }
    let form = [("link_token", "none")];
    let seen = told(admin.post("/dashboard/sign-in/code", &form).await);
    let other = stranger.post("/dashboard/sign-in/code", &form).await;
    assert_eq!(seen, told(other));
}

/// Asks for an admin's sign-in mail a while ago, in a stopped server's store; what their browser got.
async fn asked_for_earlier(data: &Path, earlier: Duration) -> String {
    let held = DataDir::open(data).unwrap();
    let past: Arc<dyn Clock> = Arc::new(FrozenClock::at(SystemClock.now().minus(earlier)));
    let (url, tuning) = (held.store_url(), Tuning::default());
    let store = connect(&url, NodeId([7; 8]), Arc::clone(&past), tuning).await;
    let store = store.unwrap();
    let roots = RootKeys::read(&data.join("root.keys")).unwrap();
    let postern = Postern::new(Parts {
        store: Arc::clone(&store),
        clock: past,
        entropy: Arc::new(SystemEntropy),
        templates: Arc::new(Templates::built_in()),
        keyring: Arc::new(ArcSwap::from_pointee(roots.keyring().unwrap())),
        snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
        disposable: Arc::new(ArcSwap::from_pointee(DomainList::bundled())),
        inbox: true,
    });
    let owner = postern.put_admin("owner@example.com", Role::Owner);
    owner.await.unwrap();
    let uri = "https://sign-in.example.com/dashboard/sign-in/link";
    let mail = postern.admin_mail("owner@example.com", uri).unwrap();
    let handle = mail.handle.expose().to_owned();
    assert!(postern.send_admin_mail(mail).await.unwrap().is_some());
    store.close().await;
    handle
}

#[tokio::test]
async fn a_code_that_expired_tells_no_admin_from_a_stranger() {
    let mut site = Site::start();
    site.stop();
    let handle = asked_for_earlier(&site.server.data(), Duration::from_mins(11)).await;
    site.start_again();
    let (mut admin, mut stranger) = (site.visitor(), site.visitor());
    admin.cookies.insert(AWAITED.to_owned(), handle);
    let ask = [("email", "eve@example.com")];
    stranger.post("/dashboard/sign-in", &ask).await;
    for wrong in [("code", "000000"), ("link_token", "none")] {
        let seen = told(admin.post("/dashboard/sign-in/code", &[wrong]).await);
        assert!(seen.2.contains("not right, or no longer"), "{}", seen.2);
        let other = stranger.post("/dashboard/sign-in/code", &[wrong]).await;
        assert_eq!(seen, told(other), "{wrong:?}");
    }
}

#[tokio::test]
async fn an_admin_on_the_suppression_list_signs_in_and_nobody_is_told_of_it() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let listed = [("address", "owner@example.com"), ("note", "bounced")];
    owner.post("/dashboard/suppression/add", &listed).await;
    let (mut admin, mut stranger) = (site.visitor(), site.visitor());
    let ask = [("email", "owner@example.com")];
    let sent = told(admin.post("/dashboard/sign-in", &ask).await);
    let ask = [("email", "eve@example.com")];
    let other = stranger.post("/dashboard/sign-in", &ask).await;
    assert_eq!(sent, told(other));
    let mail = site.mail("owner@example.com").await;
    let code = [("code", mail["otp"].as_str().unwrap())];
    let entered = admin.post("/dashboard/sign-in/code", &code).await;
    assert!(entered.leads_to("/dashboard"), "{entered:?}");
}

#[tokio::test]
async fn a_planted_session_is_not_the_one_that_is_signed_in() {
    let site = Site::start();
    let mut attacker = site.owner().await;
    let planted = attacker.cookies[SESSION].clone();
    let mut victim = site.visitor();
    victim.cookies.insert(SESSION.to_owned(), planted.clone());
    victim
        .accept(&site.invite("victim@example.com", "viewer"))
        .await;
    assert_ne!(victim.cookies[SESSION], planted);
    assert!(
        attacker
            .get("/dashboard")
            .await
            .leads_to("/dashboard/sign-in"),
        "the planted one ended"
    );
}

#[tokio::test]
async fn signing_out_ends_the_session_on_the_server() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let kept = owner.cookies.clone();
    assert!(
        owner
            .post("/dashboard/sign-out", &[])
            .await
            .leads_to("/dashboard/sign-in")
    );
    owner.cookies = kept;
    assert!(owner.get("/dashboard").await.leads_to("/dashboard/sign-in"));
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_after_signing_in() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/dashboard/\\evil.example",
        "/dashboard/../../x",
    ] {
        let form = [("theme", "dark"), ("to", elsewhere)];
        let answer = owner.post("/dashboard/theme", &form).await;
        assert_eq!(answer.header("location"), "/dashboard", "{elsewhere}");
    }
}

#[tokio::test]
async fn five_wrong_codes_end_a_sign_in_for_admins_too() {
    let site = Site::start();
    drop(site.owner().await);
    let mut guesser = site.visitor();
    let ask = [("email", "owner@example.com")];
    guesser.post("/dashboard/sign-in", &ask).await;
    let right = site.mail("owner@example.com").await;
    let right = right["otp"].as_str().unwrap();
    let number: u32 = right.parse().unwrap();
    for n in 1..=5 {
        let wrong = format!("{:06}", (number + n) % 1_000_000);
        guesser
            .post("/dashboard/sign-in/code", &[("code", &wrong)])
            .await;
    }
    let late = guesser
        .post("/dashboard/sign-in/code", &[("code", right)])
        .await;
    assert!(late.text.contains("not right"), "{}", late.text);
    assert!(!guesser.cookies.contains_key(SESSION));
}

#[tokio::test]
async fn over_tls_the_cookies_belong_to_this_host_alone_and_no_script() {
    let site = Site::over_tls();
    let printed = site.printed();
    let token = printed.split_once("token=").unwrap().1;
    let mut owner = site.visitor();
    let entered = owner.post("/dashboard/invite", &[("token", token)]).await;
    let cookies = entered.headers.get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap()).collect();
    let session = cookies
        .iter()
        .find(|cookie| cookie.starts_with("__Host-postern-session="))
        .unwrap_or_else(|| panic!("{cookies:?}"));
    for word in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(session.contains(word), "{word}: {session}");
    }
    assert!(!session.contains("Domain"), "{session}");
    assert_eq!(owner.get("/dashboard").await.status, 200);
}

#[tokio::test]
async fn a_session_that_an_owner_ends_is_out_at_once() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let mut viewer = site.viewer().await;
    assert_eq!(viewer.get("/dashboard").await.status, 200);
    let page = owner.get("/dashboard/admins").await.text;
    let rows = page.split_once("aria-label=\"Sessions\"").unwrap().1;
    let row = rows.split_once("viewer@example.com").unwrap().1;
    let session = row.split_once("name=\"session\" value=\"").unwrap().1;
    let session = session.split('"').next().unwrap();
    owner
        .post("/dashboard/sessions/end", &[("session", session)])
        .await;
    assert!(
        viewer
            .get("/dashboard")
            .await
            .leads_to("/dashboard/sign-in")
    );
    assert_eq!(owner.get("/dashboard").await.status, 200, "theirs goes on");
}

#[tokio::test]
async fn the_mails_of_a_sign_in_are_limited_and_nobody_is_told() {
    // Two a minute, whether or not everybody else is allowed fewer.
    let site = Site::set(&[("sends_per_minute", "1")]);
    drop(site.owner().await);
    let mut admin = site.visitor();
    let ask = [("email", "owner@example.com")];
    for _ in 0..4 {
        let sent = admin.post("/dashboard/sign-in", &ask).await;
        assert!(sent.leads_to("/dashboard/sign-in/code"), "{sent:?}");
    }
    site.mail("owner@example.com").await;
    // What was queued before it is in the inbox too.
    send(&site, "later@example.com").await;
    site.mail("later@example.com").await;
    assert_eq!(site.mails("owner@example.com").await.len(), 2);
}

#[tokio::test]
async fn the_pages_that_let_somebody_in_are_whole_for_who_is_in_already() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let invitation = site.invite("grace@example.com", "viewer");
    let invitation = invitation.strip_prefix(&site.url).unwrap();
    for (path, told) in [
        ("/dashboard/sign-in/link?link_token=one", "Sign me in"),
        ("/dashboard/sign-in/code", "Check your mail"),
        (invitation, "grace@example.com"),
    ] {
        let page = owner.get(path).await.text;
        let main = page.split_once("<main").unwrap().1;
        assert!(main.contains(told), "{path}: {page}");
    }
}
