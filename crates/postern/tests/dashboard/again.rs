//! What is sent twice, too late, or nowhere.

use crate::site::Site;

fn field(page: &str, name: &str) -> String {
    let (_, after) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_form_of_a_new_application_makes_one_however_often_it_is_sent() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("name", "Shop")];
    let made = owner.post("/dashboard/applications", &form).await;
    assert!(made.text.contains("Copy the secret now"), "{}", made.text);
    let again = owner.post("/dashboard/applications", &form).await;
    assert!(again.text.contains("an application called Shop already"));
    let list = owner.get("/dashboard/applications").await.text;
    assert_eq!(list.matches("<h2 class=\"long\">Shop</h2>").count(), 1);
}

#[tokio::test]
async fn the_quickstart_is_for_the_application_that_is_chosen() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let development = site.server.credentials().client_id.clone();
    let path = format!("/dashboard/quickstart?client={development}");
    assert!(!owner.get(&path).await.text.contains("Use it"), "no choice");
    let form = [("name", "Shop")];
    owner.post("/dashboard/applications", &form).await;
    let code = |page: &str| {
        let (_, after) = page.split_once("<pre id=\"code\"").unwrap();
        after.split("</pre>").next().unwrap().to_owned()
    };
    let newest = owner.get("/dashboard/quickstart").await.text;
    assert!(!code(&newest).contains(&development), "{newest}");
    let chosen = owner.get(&path).await.text;
    assert!(code(&chosen).contains(&development), "{chosen}");
    assert!(chosen.contains("dev.env"), "{chosen}");
}

#[tokio::test]
async fn the_form_that_rotates_a_secret_makes_one_however_often_it_is_sent() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let id = &site.server.credentials().client_id;
    let path = format!("/dashboard/applications/{id}/rotate");
    let seen = field(&owner.get(&path).await.text, "seen");
    let form = [("overlap", "86400"), ("seen", &*seen)];
    let made = owner.post(&path, &form).await;
    assert!(made.text.contains("Copy the secret now"), "{}", made.text);
    let again = owner.post(&path, &form).await;
    assert!(
        again.text.contains("since this page was opened"),
        "{}",
        again.text
    );
    let list = owner.get("/dashboard/applications").await.text;
    assert_eq!(list.matches("Earlier, until").count(), 1, "{list}");
}

#[tokio::test]
async fn a_form_of_an_earlier_session_is_kept_and_sent_once_more_by_hand() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let earlier = owner.csrf.clone();
    owner.post("/dashboard/sign-out", &[]).await;
    let form = [("name", "  <b>Shop</b>\n")];
    let lost = owner.post("/dashboard/applications", &form).await;
    assert!(lost.leads_to("/dashboard/sign-in?"), "{lost:?}");
    let told = owner.get(lost.header("location")).await.text;
    assert!(told.contains("was not saved"), "{told}");
    owner
        .accept(&site.invite("owner@example.com", "owner"))
        .await;
    let fresh = std::mem::replace(&mut owner.csrf, earlier);
    let asked = owner.post("/dashboard/applications", &form).await;
    assert_eq!(asked.status, 403);
    assert!(asked.text.contains("action=\"/dashboard/applications\""));
    let kept = "<textarea hidden name=\"name\">\n  &#60;b&#62;Shop&#60;/b&#62;\n</textarea>";
    assert!(asked.text.contains(kept), "{}", asked.text);
    assert_eq!(field(&asked.text, "csrf"), fresh);
}

#[tokio::test]
async fn a_path_that_leads_nowhere_keeps_the_menu_of_who_is_signed_in() {
    let site = Site::start();
    let mut viewer = site.viewer().await;
    for (path, status) in [("/dashboard/nope", 404), ("/dashboard/inbox", 403)] {
        let page = viewer.get(path).await;
        assert_eq!(page.status, status, "{path}");
        let menu = page.text.contains("href=\"/dashboard/logs\"");
        assert!(menu && page.text.contains("To the overview"), "{path}");
    }
    let stranger = site.visitor().get("/dashboard/nope").await.text;
    assert!(stranger.contains("To the sign-in page"));
}

#[tokio::test]
async fn who_is_an_admin_already_is_not_let_in_again() {
    let site = Site::start();
    let mut owner = site.owner().await;
    let form = [("email", "OWNER@example.com"), ("role", "viewer")];
    let told = owner.post("/dashboard/admins/add", &form).await.text;
    assert!(told.contains("is an admin already"), "{told}");
    let page = owner.get("/dashboard/admins").await.text;
    assert!(page.contains("Make me a viewer"), "still an owner");
}
