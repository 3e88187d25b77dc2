//! Pages about mails: who takes them, whom they are signed for, and who gets none.

use postern_testkit::smtp::SmtpServer;
use serde_json::json;

use crate::pages::send;
use crate::site::Site;

#[tokio::test]
async fn a_suppressed_address_is_listed_explained_and_taken_off() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("address", "ada@example.com"), ("note", "asked us to stop")];
    let added = owner.post("/dashboard/suppression/add", &form).await;
    assert!(
        added.leads_to("/dashboard/suppression?done=added"),
        "{added:?}"
    );
    assert_eq!(
        send(&site, "ada@example.com").await["details"][0]["error_code"],
        json!("ADDRESS_SUPPRESSED")
    );
    let list = owner.get("/dashboard/suppression").await.text;
    assert!(list.contains("asked us to stop"));
    let why = owner
        .get("/dashboard/logs/why?email=ada@example.com")
        .await
        .text;
    assert!(why.contains("on the suppression list since"), "{why}");
    let address = [("address", "ada@example.com")];
    owner.post("/dashboard/suppression/remove", &address).await;
    assert_eq!(
        send(&site, "ada@example.com").await["expires_in"],
        json!(300)
    );
}

#[tokio::test]
async fn a_span_that_no_calendar_holds_is_refused_and_no_page_breaks() {
    let site = Site::start();
    let mut owner = site.owner().await;
    for (span, told) in [
        ("9223372036854", "at most 10 years"),
        ("99999999999999999999999", "is not a number of seconds"),
        ("-1", "is not a number of seconds"),
    ] {
        let form = [("address", "ada@example.com"), ("for", span)];
        let refused = owner.post("/dashboard/suppression/add", &form).await;
        assert!(refused.text.contains(told), "{span}: {refused:?}");
    }
    let list = owner.get("/dashboard/suppression").await;
    assert!(!list.text.contains("ada@example.com"), "{list:?}");
    let year = [("address", "ada@example.com"), ("for", "31536000")];
    let added = owner.post("/dashboard/suppression/add", &year).await;
    assert!(added.leads_to("/dashboard/suppression?done="), "{added:?}");
}

#[tokio::test]
async fn a_provider_is_connected_tested_against_its_server_and_removed() {
    let relay = SmtpServer::builder().start().await.unwrap();
    let site = Site::start();
    let mut owner = site.owner().await;
    let port = relay.addr().port().to_string();
    let form = [
        ("preset", "other"),
        ("name", "relay"),
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("tls", "none"),
        ("from", "Shop <login@example.com>"),
    ];
    let wrong = owner.post("/dashboard/emails/add", &form[..5]).await;
    assert!(wrong.text.contains("id=\"from-wrong\""), "{}", wrong.text);
    assert!(
        wrong.text.contains("value=\"relay\""),
        "what was typed is still there"
    );
    let added = owner.post("/dashboard/emails/add", &form).await;
    assert!(
        added.leads_to("/dashboard/emails?done=connected"),
        "{}",
        added.text
    );
    let form = [("name", "relay"), ("to", "ada@example.com")];
    let tested = owner.post("/dashboard/emails/test", &form).await.text;
    assert!(tested.contains("The test mail was taken."), "{tested}");
    assert!(
        tested.contains("C: RCPT TO:&#60;ada@example.com&#62;"),
        "{tested}"
    );
    relay.wait_for(1).await;
    assert!(
        owner
            .get("/dashboard/emails/remove?name=relay")
            .await
            .text
            .contains("Remove relay?")
    );
    owner
        .post("/dashboard/emails/remove", &[("name", "relay")])
        .await;
    assert!(
        owner
            .get("/dashboard/emails")
            .await
            .text
            .contains("No provider yet")
    );
}

#[tokio::test]
async fn keys_that_sign_mails_are_made_and_their_records_shown() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let keys = [("domain", "example.com")];
    let made = owner.post("/dashboard/emails/dkim", &keys).await;
    assert!(made.leads_to("/dashboard/emails/dkim?done=signed"));
    let page = owner.get("/dashboard/emails/dkim").await.text;
    for said in ["postern._domainkey.example.com", "v=DKIM1; k=ed25519; p="] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let again = owner.post("/dashboard/emails/dkim", &keys).await.text;
    assert!(again.contains("has a DKIM key postern already"), "{again}");
}

#[tokio::test]
async fn the_url_for_postmark_shows_where_its_name_and_password_stand() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [
        ("provider", "postmark"),
        ("secret", "postern:a-long-enough-password"),
    ];
    let set = owner.post("/dashboard/emails/callbacks", &form).await;
    assert!(set.leads_to("/dashboard/emails/callbacks?done=added"));
    let page = owner.get("/dashboard/emails/callbacks").await.text;
    let (scheme, host) = site.url.split_once("://").unwrap();
    let url = format!("<code>{scheme}://NAME:PASSWORD@{host}/hooks/mail/postmark</code>");
    assert!(page.contains(&url), "{page}");
    assert!(!page.contains("a-long-enough-password"), "{page}");
}

#[tokio::test]
async fn a_password_beside_a_mistake_is_not_sent_back_and_is_asked_for_again() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [
        ("preset", "other"),
        ("name", "relay"),
        ("host", "mail.example.com"),
        ("port", "465"),
        ("tls", "implicit"),
        ("from", "nobody"),
        ("password", "correct-horse"),
    ];
    let wrong = owner.post("/dashboard/emails/add", &form).await.text;
    let again = "Type it again: it is not sent back.";
    assert!(wrong.contains("id=\"from-wrong\""), "{wrong}");
    assert!(wrong.contains(again), "{wrong}");
    assert!(!wrong.contains("correct-horse"), "{wrong}");
}

#[tokio::test]
async fn a_key_of_a_domain_that_nobody_sends_from_is_warned_of_and_removed() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("domain", "typo.example")];
    let made = owner.post("/dashboard/emails/dkim", &form).await;
    assert!(made.leads_to("/dashboard/emails/dkim?done=signed"));
    let page = owner.get("/dashboard/emails/dkim").await.text;
    assert!(
        page.contains("No provider sends from typo.example"),
        "{page}"
    );
    let (_, after) = page.split_once("name=\"selector\" value=\"").unwrap();
    let selector = after.split('"').next().unwrap();
    let form = [("domain", "typo.example"), ("selector", selector)];
    let removed = owner.post("/dashboard/emails/dkim/remove", &form).await;
    assert!(removed.leads_to("/dashboard/emails/dkim?done=removed"));
    let left = owner.get("/dashboard/emails/dkim").await.text;
    let forms = |page: &str| page.matches("/dashboard/emails/dkim/remove").count();
    assert_eq!((forms(&page), forms(&left)), (2, 1));
}
