//! The page between a mail and the app.

use postern_core::flow::{LinkPage, Receipt};
use postern_core::keyring::Binding;
use postern_core::model::{AuthRequest, Email};
use postern_core::rules::PageEnd;

use crate::world::{World, code_of};

async fn linked() -> World {
    World::with(&[("passwordless_type", "LINK_OTP")]).await
}

/// The token of the page that the newest mail of a request leads to.
async fn token(world: &World, receipt: &Receipt) -> String {
    page_of(world, &world.request(receipt).await)
}

fn page_of(world: &World, request: &AuthRequest) -> String {
    let binding = Binding::new(request, request.generation);
    let keyring = world.postern.keyring();
    keyring.page_token(&binding).unwrap().expose().to_owned()
}

async fn find(world: &World, token: &str) -> Option<LinkPage> {
    world.postern.find_link_page(token).await.unwrap()
}

async fn end(world: &World, token: &str) -> Option<PageEnd> {
    find(world, token).await.unwrap().onward.err()
}

#[tokio::test]
async fn the_page_names_the_address_and_leads_on_with_the_link_that_a_mail_would_hold() {
    let world = linked().await;
    let receipt = world.send("Ada@Example.com").await;
    let page = find(&world, &token(&world, &receipt).await).await.unwrap();
    assert_eq!(page.address.as_given(), "Ada@Example.com");
    let link = world.mailed(&receipt).await.link;
    let onward = page.onward.unwrap();
    assert_eq!(
        onward.expose(),
        format!("https://app.example.com/cb?link_token={link}")
    );
    assert!(world.verify_link(&link, None).await.is_ok());
}

#[tokio::test]
async fn looking_at_the_page_any_number_of_times_writes_nothing() {
    let world = linked().await;
    let receipt = world.send("ada@example.com").await;
    let token = token(&world, &receipt).await;
    let (writes, before) = (world.spy.writes(), world.request(&receipt).await);
    for _ in 0..20 {
        assert!(find(&world, &token).await.unwrap().onward.is_ok());
    }
    world.advance(301);
    assert_eq!(end(&world, &token).await, Some(PageEnd::Expired));
    assert_eq!(world.spy.writes(), writes);
    assert_eq!(world.request(&receipt).await, before);
}

#[tokio::test]
async fn the_page_says_why_it_ends() {
    let world = linked().await;
    let used = world.send("used@example.com").await;
    let code = world.mailed(&used).await.code;
    world.verify(&used, &code).await.unwrap();
    assert_eq!(
        end(&world, &token(&world, &used).await).await,
        Some(PageEnd::Used)
    );

    let resent = world.send("newer@example.com").await;
    let older = token(&world, &resent).await;
    world.resend(&resent).await.unwrap();
    assert_eq!(end(&world, &older).await, Some(PageEnd::Superseded));
    assert_eq!(end(&world, &token(&world, &resent).await).await, None);

    let dead = world.send("dead@example.com").await;
    for n in 0..5 {
        let wrong = world.wrong(&dead, n).await;
        world.verify(&dead, &wrong).await.unwrap_err();
    }
    assert_eq!(
        end(&world, &token(&world, &dead).await).await,
        Some(PageEnd::Dead)
    );
}

#[tokio::test]
async fn neither_token_serves_for_the_other() {
    let world = linked().await;
    let receipt = world.send("ada@example.com").await;
    let page = token(&world, &receipt).await;
    let link = world.mailed(&receipt).await.link;
    assert!(find(&world, &link).await.is_none());
    for forged in [page.clone(), page.replace("_p", "_l")] {
        assert_eq!(
            code_of(world.verify_link(&forged, None).await),
            "INVALID_LINK"
        );
    }
    assert!(find(&world, &link.replace("_l", "_p")).await.is_none());
}

#[tokio::test]
async fn a_forged_token_never_reaches_the_store_and_a_changed_row_leads_nowhere() {
    let world = linked().await;
    let receipt = world.send("ada@example.com").await;
    let good = token(&world, &receipt).await;
    let mut forged = good.clone().into_bytes();
    forged[40] = if forged[40] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    for text in [forged.as_str(), "", "_p", "x_p", &"A".repeat(5_000)] {
        assert!(find(&world, text).await.is_none());
    }
    let moved = AuthRequest {
        address: Email::parse("eve@example.com").unwrap(),
        ..world.request(&receipt).await
    };
    assert!(find(&world, &page_of(&world, &moved)).await.is_none());
}

#[tokio::test]
async fn a_link_that_the_allow_list_no_longer_admits_is_not_followed() {
    let world = linked().await;
    let receipt = world.send("ada@example.com").await;
    let token = token(&world, &receipt).await;
    world
        .set(&[("link_origins", "https://other.example")])
        .await;
    assert!(find(&world, &token).await.is_none());
}

#[tokio::test]
async fn a_mail_without_a_link_has_no_page() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    assert!(find(&world, &token(&world, &receipt).await).await.is_none());
}
