use std::time::Duration;

use postern_core::error::Kind;
use postern_core::flow::LONGEST_SUPPRESSION;
use postern_core::model::{Email, SuppressionReason};

use crate::world::{World, code_of};

const SAID: &str = "rcpt: 550 5.1.1 <address> no such user";

fn ada() -> Email {
    Email::parse("ada@example.com").unwrap()
}

#[tokio::test]
async fn a_send_to_a_suppressed_address_fails_with_reason_and_dates_and_uses_no_quota() {
    let world = World::strict().await;
    assert!(world.postern.suppress_bounced(&ada(), SAID).await.unwrap());
    for _ in 0..3 {
        let refused = world
            .try_send(World::input("ADA@example.com"))
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code(), refused.kind()),
            ("ADDRESS_SUPPRESSED", Kind::NotReady)
        );
        let told = refused.to_string();
        for part in [
            "no such mailbox",
            "2027-01-15T08:00:00Z",
            "2027-01-22T08:00:00Z",
        ] {
            assert!(told.contains(part), "{told}");
        }
    }
    world.postern.unsuppress(&ada()).await.unwrap();
    assert!(world.send("ada@example.com").await.mailed);
}

#[tokio::test]
async fn a_resend_to_an_address_that_was_suppressed_since_fails_too() {
    let world = World::with(&[]).await;
    let receipt = world.send("ada@example.com").await;
    world.postern.suppress_bounced(&ada(), SAID).await.unwrap();
    assert_eq!(code_of(world.resend(&receipt).await), "ADDRESS_SUPPRESSED");
    let code = world.mailed(&receipt).await.code;
    assert!(
        world.verify(&receipt, &code).await.is_ok(),
        "a mail may have arrived all the same"
    );
}

#[tokio::test]
async fn only_a_bad_mailbox_enters_the_list_and_leaves_it_after_the_configured_time() {
    let world = World::with(&[("suppress_for", "1h")]).await;
    for other in [
        "rcpt: 550 5.7.1 blocked",
        "rcpt: 552 5.2.2 full",
        "end of data: 554 no",
    ] {
        assert!(!world.postern.suppress_bounced(&ada(), other).await.unwrap());
    }
    world.postern.suppress_bounced(&ada(), SAID).await.unwrap();
    let held = world.postern.suppression(&ada()).await.unwrap().unwrap();
    assert_eq!(held.reason, SuppressionReason::Bounced);
    world.advance(3600);
    assert_eq!(world.postern.suppression(&ada()).await.unwrap(), None);
    assert!(world.send("ada@example.com").await.mailed);
}

#[tokio::test]
async fn an_admin_lists_an_address_for_a_while_or_for_good() {
    let world = World::with(&[]).await;
    let hour = Some(Duration::from_hours(1));
    world
        .postern
        .suppress(&ada(), "asked us to", hour)
        .await
        .unwrap();
    let bob = Email::parse("bob@example.com").unwrap();
    world.postern.suppress(&bob, "", None).await.unwrap();
    assert_eq!(world.postern.suppressions(None, 10).await.unwrap().len(), 2);
    world.advance(3600);
    let left = world.postern.suppressions(None, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(
        (left[0].address.as_given(), left[0].until),
        ("bob@example.com", None)
    );
}

#[tokio::test]
async fn a_test_identity_is_not_stopped_by_the_list_because_it_is_sent_no_mail() {
    let world = World::with(&[("test_addresses", "a+sktest@example.com")]).await;
    let listed = Email::parse("a+sktest@example.com").unwrap();
    world.postern.suppress(&listed, "", None).await.unwrap();
    assert!(!world.send("a+sktest@example.com").await.mailed);
}

#[tokio::test]
async fn an_address_is_listed_for_ten_years_at_most_or_without_an_end() {
    let world = World::new().await;
    let list = async |lasts| world.postern.suppress(&ada(), "", lasts).await;
    let refused = list(Some(Duration::from_secs(9_223_372_036_854))).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    assert!(
        refused.to_string().contains("at most 10 years"),
        "{refused}"
    );
    assert!(world.postern.suppression(&ada()).await.unwrap().is_none());
    assert!(list(Some(LONGEST_SUPPRESSION)).await.is_ok());
    assert!(list(None).await.unwrap().until.is_none());
}
