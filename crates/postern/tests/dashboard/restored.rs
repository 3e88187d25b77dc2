//! What a restore leaves of who was let in before the backup.

use crate::site::{SESSION, Site};

#[tokio::test]
async fn a_session_and_an_invitation_from_before_a_backup_are_over_after_its_restore() {
    let mut site = Site::start();
    let mut owner = site.owner().await;
    let invitation = site.invite("second@example.com", "owner");
    let path = invitation.strip_prefix(&site.url).unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.backup").display().to_string();
    let backup = site.server.admin(&["backup", &file]);
    assert!(backup.status.success(), "{backup:?}");

    // An end and a start by themselves change nothing.
    site.stop();
    site.start_again();
    owner.url.clone_from(&site.url);
    assert_eq!(owner.get("/dashboard").await.status, 200);
    let mut guest = site.visitor();
    let invited = guest.get(&path).await.text;
    assert!(invited.contains("second@example.com"), "{invited}");

    site.stop();
    let restored = site.server.admin(&["restore", &file, "--replace"]);
    assert!(restored.status.success(), "{restored:?}");
    site.start_again();
    owner.url.clone_from(&site.url);
    assert!(owner.cookies.contains_key(SESSION), "the cookie is kept");
    let refused = owner.get("/dashboard").await;
    assert!(refused.leads_to("/dashboard/sign-in"), "{refused:?}");
    let mut guest = site.visitor();
    let over = guest.get(&path).await.text;
    assert!(over.contains("This invitation is over"), "{over}");
    let token = path.split_once("token=").unwrap().1;
    guest.post("/dashboard/invite", &[("token", token)]).await;
    assert!(guest.cookies.is_empty());
    // Who is an admin is in the backup: the owner signs in anew.
    let form = [("email", "owner@example.com")];
    let sent = owner.post("/dashboard/sign-in", &form).await;
    assert!(sent.leads_to("/dashboard/sign-in/code"), "{sent:?}");
    let mail = site.mail("owner@example.com").await;
    let code = [("code", mail["otp"].as_str().unwrap())];
    owner.post("/dashboard/sign-in/code", &code).await;
    assert_eq!(owner.get("/dashboard").await.status, 200);
}
