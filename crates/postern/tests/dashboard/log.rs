//! The authentication log, as admins look into it.

use postern_testkit::smtp::{Act, SmtpServer, Step};
use serde_json::json;

use crate::pages::{awaited, send, send_as, token};
use crate::site::Site;

#[tokio::test]
async fn a_request_is_found_with_its_timeline() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let sent = send(&site, "ada@example.com").await;
    let page = awaited(
        &mut owner,
        "/dashboard/logs?email=ADA@example.com",
        "Mail sent",
    )
    .await;
    let id = page
        .split_once("/dashboard/logs/req_")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let detail = owner.get(&format!("/dashboard/logs/req_{id}")).await.text;
    for step in ["Sign-in requested", "Mail queued", "Mail taken by inbox"] {
        assert!(detail.contains(step), "{step}");
    }
    let tagged = sent["auth_request_id"].as_str().unwrap();
    let found = owner
        .get(&format!("/dashboard/logs?email={tagged}"))
        .await
        .text;
    assert!(found.contains(&format!("req_{id}")) && found.contains("1 in all"));
}

#[tokio::test]
async fn the_log_is_exported_as_it_is_filtered() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    send(&site, "bob@example.com").await;
    awaited(&mut owner, "/dashboard/logs", "bob@example.com").await;
    let csv = owner.get("/dashboard/logs/export?format=csv").await;
    assert!(
        csv.header("content-disposition")
            .contains("authentication-log.csv")
    );
    assert!(
        csv.text.contains(",ada@example.com,INITIATED,"),
        "{}",
        csv.text
    );
    let lines = owner
        .get("/dashboard/logs/export?format=jsonl&email=ada@example.com")
        .await
        .text;
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (lines.lines().count(), &line["email"]),
        (1, &json!("ada@example.com"))
    );
}

#[tokio::test]
async fn requests_whose_mail_did_not_arrive_are_found_together() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let smtp = SmtpServer::builder().start().await.unwrap();
    smtp.always_for("lost@example.com", Step::Rcpt, Act::reply(550));
    let port = smtp.addr().port().to_string();
    let provider = [
        ("preset", "other"),
        ("name", "relay"),
        ("host", "127.0.0.1"),
        ("port", &*port),
        ("tls", "none"),
        ("from", "login@example.com"),
    ];
    owner.post("/dashboard/emails/add", &provider).await;
    for to in ["lost@example.com", "bob@example.com"] {
        send(&site, to).await;
    }
    smtp.wait_for_mail_to("bob@example.com").await;
    let page = awaited(&mut owner, "/dashboard/logs?status=LOST", "1 in all").await;
    assert!(page.contains("lost@example.com") && !page.contains("bob@example.com"));
    assert!(page.contains(">No mail</span>"), "{page}");
    let file = owner
        .get("/dashboard/logs/export?format=csv&status=LOST")
        .await;
    assert!(file.text.contains("lost@example.com") && !file.text.contains("bob@example.com"));
    let overview = owner.get("/dashboard?period=1h").await.text;
    let cases = "<a href=\"/dashboard/logs?status=LOST&#38;period=1h\">Recipients refused</a>";
    assert!(overview.contains(cases), "{overview}");
}

#[tokio::test]
async fn why_there_was_no_mail_is_answered() {
    let site = Site::start();
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    awaited(&mut owner, "/dashboard/logs", "Mail sent").await;
    let why = owner
        .get("/dashboard/logs/why?email=ada@example.com")
        .await
        .text;
    assert!(why.contains("it is in the development inbox"), "{why}");
    let why = owner
        .get("/dashboard/logs/why?email=nobody@example.com")
        .await
        .text;
    assert!(why.contains("No sign-in was ever accepted"));
}

#[tokio::test]
async fn why_names_the_domain_rule_that_refuses_an_address() {
    for (setting, value, told) in [
        (
            "blocked_domains",
            "example.com",
            "example.com is among the domains that are not allowed",
        ),
        (
            "allowed_domains",
            "acme.example",
            "example.com is not among the domains that are allowed",
        ),
    ] {
        let site = Site::set(&[(setting, value)]);
        let mut owner = site.owner().await;
        let why = "/dashboard/logs/why?email=ada@example.com";
        let page = owner.get(why).await.text;
        assert!(page.contains(told), "{page}");
    }
}

#[tokio::test]
async fn the_log_is_narrowed_by_application_and_by_time() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let made = owner
        .post("/dashboard/applications", &[("name", "Shop")])
        .await
        .text;
    let shown = |name: &str| {
        let after = made.split_once(&format!("{name}=")).unwrap().1;
        let end = |c: char| c.is_whitespace() || c == '<';
        after.split(end).next().unwrap().to_owned()
    };
    let (id, secret) = (shown("SCALEKIT_CLIENT_ID"), shown("SCALEKIT_CLIENT_SECRET"));
    send(&site, "grace@example.com").await;
    let token = token(&site, &id, &secret).await.unwrap();
    send_as(&site, &token, "shopper@example.com").await;
    awaited(&mut owner, "/dashboard/logs", "shopper@example.com").await;
    awaited(&mut owner, "/dashboard/logs", "grace@example.com").await;

    let development = &site.server.credentials().client_id;
    for (query, seen, unseen) in [
        (format!("client={id}"), "shopper@", "grace@"),
        (format!("client={development}"), "grace@", "shopper@"),
    ] {
        let page = owner.get(&format!("/dashboard/logs?{query}")).await.text;
        assert!(page.contains(seen) && page.contains("1 in all"), "{query}");
        assert!(!page.contains(unseen), "{query}: {page}");
    }
    let between = |from, to| format!("/dashboard/logs?from={from}&to={to}");
    let all = owner
        .get(&between("2020-01-01T00:00", "2999-01-01T00:00"))
        .await;
    assert!(all.text.contains("2 in all"), "{}", all.text);
    let both = format!("{}&period=1h", between("2999-01-01T00:00", ""));
    let none = owner.get(&both).await.text;
    assert!(none.contains("Nothing matches"), "both are heeded: {none}");
    for none in [
        between("2020-01-01T00:00", "2020-01-02T00:00"),
        between("2999-01-01T00:00", ""),
    ] {
        let page = owner.get(&none).await.text;
        assert!(page.contains("Nothing matches"), "{none}: {page}");
    }
}

#[tokio::test]
async fn who_is_refused_by_a_limit_is_found_at_once() {
    let site = Site::set(&[("sends_per_minute", "1")]);
    let mut owner = site.owner().await;
    send(&site, "ada@example.com").await;
    let why = "/dashboard/logs/why?email=ada@example.com";
    awaited(&mut owner, why, "it is in the development inbox").await;
    let refused = send(&site, "ada@example.com").await;
    assert_eq!(refused["details"][0]["error_code"], "RATE_LIMITED");
    let page = owner.get(why).await.text;
    for told in [
        "A limit refuses calls for this address",
        "Refused by limits",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
}
