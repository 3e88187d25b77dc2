use std::sync::Arc;

use postern_core::flow::Receipt;

use crate::world::{World, code_of};

async fn spend_budget(world: &World, email: &str) {
    for _ in 0..20 {
        let receipt = world.send(email).await;
        for n in 0..5 {
            let wrong = world.wrong(&receipt, n).await;
            assert_eq!(
                code_of(world.verify(&receipt, &wrong).await),
                "INVALID_CODE"
            );
        }
    }
}

async fn spent(settings: &[(&str, &str)]) -> (World, Receipt) {
    let world = World::with(settings).await;
    let before = world.send("ada@example.com").await;
    spend_budget(&world, "ada@example.com").await;
    (world, before)
}

#[tokio::test]
async fn sends_and_resends_share_two_mails_a_minute_per_address() {
    let world = World::strict().await;
    let receipt = world.send("ada@example.com").await;
    world.advance(20);
    world.resend(&receipt).await.unwrap();
    world.advance(10);
    for refused in [
        world.resend(&receipt).await.unwrap_err(),
        world
            .try_send(World::input("ADA@example.com"))
            .await
            .unwrap_err(),
    ] {
        assert_eq!(refused.code(), "RATE_LIMITED");
        assert_eq!(refused.retry_after().unwrap().as_secs(), 30);
        assert!(refused.to_string().contains("30 seconds"), "{refused}");
    }
    assert!(
        world
            .try_send(World::input("bob@example.com"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_refused_call_neither_extends_nor_refills_the_window() {
    let world = World::strict().await;
    world.send("ada@example.com").await;
    world.send("ada@example.com").await;
    for _ in 0..59 {
        world.advance(1);
        assert_eq!(
            code_of(world.try_send(World::input("ada@example.com")).await),
            "RATE_LIMITED"
        );
    }
    world.advance(1);
    assert!(
        world
            .try_send(World::input("ada@example.com"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn tags_and_dots_share_a_quota_only_where_the_provider_folds_them() {
    let world = World::strict().await;
    world.send("a.d.a+1@gmail.com").await;
    world.send("ada+2@googlemail.com").await;
    assert_eq!(
        code_of(world.try_send(World::input("ada@gmail.com")).await),
        "RATE_LIMITED"
    );
    for n in 0..4 {
        world.send(&format!("ada+{n}@example.com")).await;
    }
}

#[tokio::test]
async fn a_quota_holds_under_a_race() {
    let world = World::strict().await;
    let calls: Vec<_> = (0..32)
        .map(|_| {
            let (postern, caller) = (Arc::clone(&world.postern), world.caller.clone());
            tokio::spawn(async move {
                postern
                    .send(&caller, World::input("ada@example.com"))
                    .await
                    .is_ok()
            })
        })
        .collect();
    let mut sent = 0;
    for call in calls {
        sent += usize::from(call.await.unwrap());
    }
    assert_eq!(sent, 2);
}

#[tokio::test]
async fn a_client_cap_counts_all_addresses_and_is_off_by_default() {
    let world = World::with(&[("client_sends_per_minute", "3")]).await;
    for n in 0..3 {
        world.send(&format!("ada{n}@example.com")).await;
    }
    assert_eq!(
        code_of(world.try_send(World::input("bob@example.com")).await),
        "RATE_LIMITED"
    );
    world.advance(61);
    assert!(
        world
            .try_send(World::input("bob@example.com"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn past_its_guess_budget_an_address_keeps_links_and_gets_hardened_codes() {
    let (world, before) = spent(&[("passwordless_type", "LINK_OTP")]).await;
    let mailed = world.mailed(&before).await;
    let refused = world.verify(&before, &mailed.code).await.unwrap_err();
    assert_eq!(refused.code(), "RATE_LIMITED");
    assert!(refused.retry_after().unwrap().as_secs() > 86_000);
    assert!(world.verify_link(&mailed.link, None).await.is_ok());
    let hardened = world.send("ada@example.com").await;
    let code = world.mailed(&hardened).await.code;
    assert_eq!(code.len(), 10);
    assert!(world.verify(&hardened, &code).await.is_ok());
}

#[tokio::test]
async fn a_success_does_not_reset_the_budget() {
    let world = World::with(&[("guess_budget", "6")]).await;
    for _ in 0..2 {
        let receipt = world.send("ada@example.com").await;
        for n in 0..3 {
            let wrong = world.wrong(&receipt, n).await;
            world.verify(&receipt, &wrong).await.unwrap_err();
        }
        let code = world.mailed(&receipt).await.code;
        let answer = world.verify(&receipt, &code).await.map_err(|e| e.code());
        assert!(matches!(answer, Ok(_) | Err("RATE_LIMITED")));
    }
    assert_eq!(
        world
            .mailed(&world.send("ada@example.com").await)
            .await
            .code
            .len(),
        10
    );
}

#[tokio::test]
async fn passing_the_budget_is_one_event_and_one_count() {
    let (world, _) = spent(&[]).await;
    assert_eq!(world.postern.budget_passes(), 1);
}

#[tokio::test]
async fn a_budget_that_refuses_mails_no_code_until_it_frees() {
    let (world, before) = spent(&[("on_budget", "refuse")]).await;
    assert_eq!(
        code_of(world.try_send(World::input("ada@example.com")).await),
        "RATE_LIMITED"
    );
    assert_eq!(code_of(world.resend(&before).await), "RATE_LIMITED");
    world.advance(86_400);
    assert!(
        world
            .try_send(World::input("ada@example.com"))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_ordinary_code_past_the_budget_is_not_mailed_again() {
    let (world, before) = spent(&[]).await;
    assert_eq!(code_of(world.resend(&before).await), "START_AGAIN");
}

#[tokio::test]
async fn wrong_codes_of_a_hardened_request_do_not_touch_the_budget() {
    let (world, _) = spent(&[]).await;
    let hardened = world.send("ada@example.com").await;
    for n in 0..5 {
        let wrong = world.wrong(&hardened, n).await;
        assert_eq!(
            code_of(world.verify(&hardened, &wrong).await),
            "INVALID_CODE"
        );
    }
    assert_eq!(
        code_of(world.verify(&hardened, "2222222222").await),
        "TOO_MANY_ATTEMPTS"
    );
    assert_eq!(world.postern.budget_passes(), 1);
}

#[tokio::test]
async fn the_budget_outlives_a_rotation_of_the_roots_and_the_request() {
    let (world, _) = spent(&[]).await;
    let roots = [(2, postern_core::keyring::RootSecret::new([2; 32]))];
    world.rotate(postern_core::keyring::Keyring::new(&roots, 2).unwrap());
    assert_eq!(
        world
            .mailed(&world.send("ada@example.com").await)
            .await
            .code
            .len(),
        10
    );
}

#[tokio::test]
async fn refused_calls_are_told_once_their_window_is_over() {
    let world = World::strict().await;
    for _ in 0..12 {
        let _ = world.try_send(World::input("ada@example.com")).await;
    }
    let told = || String::from_utf8_lossy(&world.files_on_disk()).contains(r#""kind":"throttled""#);
    world.postern.record_throttled(false).await.unwrap();
    assert!(!told());
    world.advance(61);
    world.postern.record_throttled(false).await.unwrap();
    assert!(told());
}

#[tokio::test]
async fn quotas_and_budgets_outlive_a_restart() {
    let (world, before) = spent(&[]).await;
    let code = world.mailed(&before).await.code;
    let world = world.restarted().await;
    assert_eq!(code_of(world.verify(&before, &code).await), "RATE_LIMITED");
    assert_eq!(
        world
            .mailed(&world.send("ada@example.com").await)
            .await
            .code
            .len(),
        10
    );
    let world = World::strict().await;
    world.send("bob@example.com").await;
    world.send("bob@example.com").await;
    let world = world.restarted().await;
    assert_eq!(
        code_of(world.try_send(World::input("bob@example.com")).await),
        "RATE_LIMITED"
    );
}
