use postern_core::model::EventKind;
use postern_core::rules::DomainRule;

use crate::world::{World, code_of};

#[tokio::test]
async fn an_address_that_a_domain_rule_speaks_against_is_refused_and_counted() {
    let world = World::with(&[("blocked_domains", "rival.example")]).await;
    let refused = world.try_send(World::input("ada@mail.rival.example")).await;
    assert_eq!(code_of(refused), "DOMAIN_NOT_ALLOWED");
    assert!(world.send("ada@example.com").await.mailed);
    assert_eq!(world.postern.domain_tally().refused(DomainRule::Blocked), 1);
}

#[tokio::test]
async fn disposable_domains_are_let_in_until_an_admin_closes_them_out() {
    let world = World::with(&[]).await;
    assert!(
        world
            .try_send(World::input("ada@mailinator.com"))
            .await
            .is_ok()
    );
    world.set(&[("block_disposable_domains", "true")]).await;
    let refused = world
        .try_send(World::input("ada@mailinator.com"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "DOMAIN_NOT_ALLOWED");
    assert!(refused.to_string().contains("disposable"), "{refused}");
}

#[tokio::test]
async fn in_log_only_mode_the_call_passes_and_its_events_and_counts_tell() {
    let world = World::with(&[("allowed_domains", "acme.example"), ("domain_rules", "log")]).await;
    let receipt = world.send("ada@example.com").await;
    world.resend(&receipt).await.unwrap();
    let events = world.store.timeline(World::id(&receipt)).await;
    let flagged = EventKind::DomainFlagged {
        rule: DomainRule::NotAllowed,
    };
    assert_eq!(
        events.iter().filter(|event| event.what == flagged).count(),
        2
    );
    let tally = world.postern.domain_tally();
    assert_eq!(
        (
            tally.logged(DomainRule::NotAllowed),
            tally.refused(DomainRule::NotAllowed)
        ),
        (2, 0)
    );
}

#[tokio::test]
async fn domain_rules_are_live_for_a_resend_and_leave_a_mailed_code_alone() {
    let world = World::with(&[]).await;
    let receipt = world.send("ada@example.com").await;
    world.set(&[("blocked_domains", "example.com")]).await;
    assert_eq!(code_of(world.resend(&receipt).await), "DOMAIN_NOT_ALLOWED");
    let code = world.mailed(&receipt).await.code;
    assert!(world.verify(&receipt, &code).await.is_ok());
}

#[tokio::test]
async fn a_test_identity_keeps_the_domain_rules() {
    let world = World::with(&[
        ("test_addresses", "a+sktest@example.com"),
        ("allowed_domains", "acme.example"),
    ])
    .await;
    let refused = world.try_send(World::input("a+sktest@example.com")).await;
    assert_eq!(code_of(refused), "DOMAIN_NOT_ALLOWED");
}

#[tokio::test]
async fn a_refused_call_uses_no_quota() {
    let world = World::strict().await;
    world.set(&[("blocked_domains", "example.com")]).await;
    for _ in 0..3 {
        let refused = world.try_send(World::input("ada@example.com")).await;
        assert_eq!(code_of(refused), "DOMAIN_NOT_ALLOWED");
    }
    world.set(&[("blocked_domains", "")]).await;
    assert!(world.send("ada@example.com").await.mailed);
}
