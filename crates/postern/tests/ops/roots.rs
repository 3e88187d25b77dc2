use serde_json::json;

use crate::{Application, eventually, parsed, plan, postern, stderr, stdout};

#[test]
fn who_makes_root_keys_is_told_where_they_are_and_to_keep_a_copy_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_str().expect("a path in UTF-8");
    let told = stdout(&postern(&["keys", "root", "add", "--data", data]));
    let kept = format!("Kept in {data}/root.keys. Keep a copy outside this machine");
    assert!(told.contains(&kept), "{told}");
}

#[tokio::test]
async fn a_root_is_added_promoted_resealed_and_retired_while_the_server_runs() {
    let server = plan().start();
    assert_eq!(
        parsed(&server.admin(&["keys", "root", "add", "--json"])),
        json!({ "current": 1, "accepted": [1, 2] })
    );
    let signed = server.admin(&["mail", "dkim", "create", "example.com"]);
    assert!(signed.status.success(), "{}", stderr(&signed));
    let promoted = parsed(&server.admin(&["keys", "root", "promote", "2", "--json"]));
    assert_eq!(promoted["current"], 2);

    let refused = server.admin(&["keys", "root", "retire", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("root key 1 is still named by what is kept"),
        "{}",
        stderr(&refused)
    );

    let resealed = parsed(&server.admin(&["keys", "root", "reseal", "--json"]));
    assert_eq!(
        resealed["resealed"], 4,
        "both signing keys and both DKIM keys were sealed under root 1"
    );
    let retired = server.admin(&["keys", "root", "retire", "1"]);
    assert!(retired.status.success(), "{}", stderr(&retired));
    let kept = parsed(&server.admin(&["mail", "dkim", "list", "--json"]));
    assert_eq!(kept[0]["name"], "postern._domainkey.example.com");

    let application = Application::of(server.credentials()).await;
    eventually("handles name the new root", async || {
        let (_, sent) = application
            .send(&format!("ada{}@example.com", rand()))
            .await;
        sent["auth_request_id"]
            .as_str()
            .is_some_and(|handle| handle.starts_with("Ag"))
    })
    .await;
}

/// A number that no other call of this process gets: send quotas are by address.
fn rand() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

#[tokio::test]
async fn rotating_signing_keys_promotes_the_standby_that_clients_already_know() {
    let server = plan().start();
    let before = parsed(&server.admin(&["keys", "signing", "list", "--json"]));
    let kid = |keys: &serde_json::Value, state: &str| {
        let found = keys
            .as_array()
            .expect("a list")
            .iter()
            .find(|key| key["state"] == state);
        found.map(|key| key["kid"].clone())
    };
    let after = parsed(&server.admin(&["keys", "signing", "rotate", "--json"]));
    assert_eq!(kid(&after, "active"), kid(&before, "standby"));
    assert_eq!(kid(&after, "retired"), kid(&before, "active"));
    let published = async || {
        let jwks = reqwest::get(format!("{}/keys", server.credentials().url))
            .await
            .expect("it answers");
        jwks.json::<serde_json::Value>().await.expect("JSON")["keys"]
            .as_array()
            .map_or(0, Vec::len)
    };
    eventually("all three are published", async || published().await == 3).await;
    Application::of(server.credentials()).await;
}

#[tokio::test]
async fn a_dropped_signing_key_ends_its_tokens_and_the_active_one_is_not_dropped() {
    let server = plan().start();
    let app = Application::of(server.credentials()).await;
    let keys = parsed(&server.admin(&["keys", "signing", "list", "--json"]));
    let keys = keys.as_array().expect("a list");
    let active = keys.iter().find(|key| key["state"] == "active");
    let active = active.expect("an active key")["kid"]
        .as_str()
        .expect("text");
    let refused = server.admin(&["keys", "signing", "drop", active]);
    assert!(!refused.status.success());
    assert!(
        stderr(&refused).contains("keys signing rotate"),
        "{refused:?}"
    );
    server.admin(&["keys", "signing", "rotate"]);
    let (status, _) = app.send("ada@example.com").await;
    assert_eq!(status, 200, "rotation ends no token");

    let after = parsed(&server.admin(&["keys", "signing", "drop", active, "--json"]));
    let after = after.as_array().expect("a list");
    assert!(after.iter().all(|key| key["kid"] != active));
    eventually("its tokens are refused", async || {
        app.send("ada@example.com").await.0 == 401
    })
    .await;
    Application::of(server.credentials()).await;
    let audit = server.admin(&["keys", "signing", "drop", active]);
    assert!(stderr(&audit).contains("there is no signing key"));
}

#[tokio::test]
async fn a_dropped_standby_is_replaced_at_once() {
    let server = plan().start();
    let standbys = |keys: &serde_json::Value| {
        let keys = keys.as_array().expect("a list").iter();
        let standbys = keys.filter(|key| key["state"] == "standby");
        standbys
            .map(|key| key["kid"].as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    let before = standbys(&parsed(
        &server.admin(&["keys", "signing", "list", "--json"]),
    ));
    let after = parsed(&server.admin(&["keys", "signing", "drop", &before[0], "--json"]));
    let after = standbys(&after);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
}
