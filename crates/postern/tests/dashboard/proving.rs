//! Proving anew who one is: before secrets, keys and admins, once the last proof is old.

use std::path::Path;
use std::sync::Arc;

use http::Method;
use postern::dashboard::{Access, Dashboard};
use postern::world::SystemClock;
use postern_core::flow::{PROOF_LASTS, token_digest};
use postern_core::model::{AdminSession, NodeId, Timestamp};
use postern_store::{DataDir, Tuning, connect};

use crate::pages::token;
use crate::roles::{filled, visit};
use crate::site::{SESSION, Site, Visitor};

/// Makes this visitor's last proof, written into a stopped server's store, so old that it is stale.
async fn age(data: &Path, visitor: &Visitor) {
    let held = DataDir::open(data).unwrap();
    let (url, clock) = (held.store_url(), Arc::new(SystemClock));
    let store = connect(&url, NodeId([7; 8]), clock, Tuning::default()).await;
    let store = store.unwrap();
    let digest = token_digest(&visitor.cookies[SESSION]);
    let (session, _) = store.find_session(digest).await.unwrap().unwrap();
    let stale = AdminSession {
        proved_at: session.proved_at.minus(PROOF_LASTS),
        ..session
    };
    let since = Timestamp::from_unix_seconds(0);
    store.put_session(stale, since).await.unwrap();
    store.close().await;
}

/// A server, and its owner, who proved who they are too long ago.
async fn with_a_stale_owner() -> (Site, Visitor) {
    let mut site = Site::start();
    let mut owner = site.owner().await;
    site.stop();
    age(&site.server.data(), &owner).await;
    site.start_again();
    owner.url.clone_from(&site.url);
    (site, owner)
}

async fn changes(owner: &mut Visitor) -> String {
    let page = owner.get("/dashboard/audit").await.text;
    page.split_once("<tbody>").unwrap().1.to_owned()
}

#[tokio::test]
async fn with_a_stale_proof_secrets_keys_and_admins_lead_to_a_new_one_and_stay_as_they_are() {
    let (site, mut owner) = with_a_stale_owner().await;
    let before = changes(&mut owner).await;
    let held = site.server.credentials();
    for (method, path, access) in Dashboard::routes() {
        if access != Access::Proven {
            continue;
        }
        let path = path.replace("{id}", &held.client_id);
        let seen = visit(&mut owner, &method, &filled(&path)).await;
        assert!(
            seen.leads_to("/dashboard/prove?to="),
            "{method} {path}: {seen:?}"
        );
        assert!(!seen.text.contains("pcs_"), "{method} {path}: {seen:?}");
    }
    for (path, form) in [
        ("/dashboard/applications", ("name", "Shop")),
        ("/dashboard/admins/add", ("email", "eve@example.com")),
    ] {
        let seen = owner.post(path, &[form]).await;
        assert!(seen.leads_to("/dashboard/prove?to="), "{path}: {seen:?}");
    }
    assert_eq!(changes(&mut owner).await, before);
    let used = token(&site, &held.client_id, &held.client_secret).await;
    assert!(used.is_some(), "neither rotated nor revoked");
}

#[tokio::test]
async fn with_a_stale_proof_everything_else_goes_on() {
    let (_site, mut owner) = with_a_stale_owner().await;
    for (method, path, access) in Dashboard::routes() {
        if method == Method::GET && access != Access::Proven {
            let seen = visit(&mut owner, &method, &filled(path)).await;
            assert!(!seen.leads_to("/dashboard/prove"), "{path}: {seen:?}");
        }
    }
    let tested = [("address", "eve@example.com"), ("note", "asked")];
    let added = owner.post("/dashboard/suppression/add", &tested).await;
    assert!(added.leads_to("/dashboard/suppression?done="), "{added:?}");
}

#[tokio::test]
async fn a_new_proof_opens_them_in_a_new_session_whose_forms_alone_are_good() {
    let (site, mut owner) = with_a_stale_owner().await;
    let (old, form) = (owner.cookies[SESSION].clone(), owner.csrf.clone());
    let to = ("to", "/dashboard/applications");
    let sent = owner.post("/dashboard/prove/send", &[to]).await;
    assert!(sent.leads_to("/dashboard/prove?to="), "{sent:?}");
    let wrong = owner
        .post("/dashboard/prove", &[("code", "000000"), to])
        .await;
    assert!(wrong.text.contains("attempts left"), "{}", wrong.text);
    let mail = site.mail("owner@example.com").await;
    let code = ("code", mail["otp"].as_str().unwrap());
    let proved = owner.post("/dashboard/prove", &[code, to]).await;
    assert!(proved.leads_to("/dashboard/applications"), "{proved:?}");
    assert_ne!(owner.cookies[SESSION], old);

    owner.csrf = form;
    let create = [("name", "Shop")];
    let late = owner.post("/dashboard/applications", &create).await;
    assert_eq!(late.status, 403, "a form of the session before: {late:?}");
    owner.learn().await;
    let made = owner.post("/dashboard/applications", &create).await;
    assert!(
        made.text.contains("SCALEKIT_CLIENT_SECRET=pcs_"),
        "{made:?}"
    );

    let mut left = site.visitor();
    left.cookies.insert(SESSION.to_owned(), old);
    assert!(left.get("/dashboard").await.leads_to("/dashboard/sign-in"));
}

#[tokio::test]
async fn with_a_stale_proof_a_template_is_kept_and_not_in_force_until_it_is_proved() {
    let (site, mut owner) = with_a_stale_owner().await;
    let editor = "/dashboard/emails/templates/signin_otp";
    let mut form = vec![
        ("seen", "0"),
        ("subject", "Code {{ otp }}"),
        ("html", "<p>Mine: {{ otp }}</p>"),
        ("text", "{{ otp }}\n\n@{{ code_domain }} #{{ otp }}\n"),
        ("do", "activate"),
    ];
    let saved = owner.post(editor, &form).await;
    assert!(saved.leads_to("/dashboard/prove?to="), "{saved:?}");
    let page = owner.get(editor).await.text;
    for said in ["Draft 1", "Mine: {{ otp }}", "asked to prove"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("Custom, version 1"), "{page}");
    for (path, version) in [("/use", "1"), ("/revert", "")] {
        let form = [("version", version)];
        let seen = owner.post(&format!("{editor}{path}"), &form).await;
        assert!(seen.leads_to("/dashboard/prove?to="), "{path}: {seen:?}");
    }

    owner.post("/dashboard/prove/send", &[]).await;
    let mail = site.mail("owner@example.com").await;
    let to = format!("{editor}?done=template-waits");
    let code = [("code", mail["otp"].as_str().unwrap()), ("to", &*to)];
    let proved = owner.post("/dashboard/prove", &code).await;
    assert!(proved.leads_to(&to), "{proved:?}");
    owner.learn().await;
    form[0] = ("seen", "1");
    let saved = owner.post(editor, &form).await;
    assert!(
        saved.leads_to(&format!("{editor}?done=template-used")),
        "{saved:?}"
    );
}
