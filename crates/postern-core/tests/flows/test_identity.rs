use postern_core::flow::{Receipt, VerifyInput};
use postern_core::keyring::Binding;
use postern_core::model::{AuthRequest, State};

use crate::world::{World, code_of};

const REVIEW: &str = "review+sktest@example.com";
const CODE: &str = "424242";

async fn listing(settings: &[(&str, &str)]) -> World {
    let world = World::strict().await;
    world.set(&[("test_addresses", REVIEW)]).await;
    world.set(settings).await;
    world
}

/// The passcode that an ordinary request in its place would have been mailed.
async fn derived(world: &World, receipt: &Receipt) -> String {
    let request = world.request(receipt).await;
    let keyring = world.postern.keyring();
    let code = keyring.passcode(&Binding::new(&request, 0)).unwrap();
    code.expose().to_owned()
}

/// The link token that an ordinary request in its place would have been mailed.
async fn derived_link(world: &World, receipt: &Receipt) -> String {
    let request = world.request(receipt).await;
    let keyring = world.postern.keyring();
    let token = keyring.link_token(&Binding::new(&request, 0)).unwrap();
    token.expose().to_owned()
}

fn wrong(n: usize) -> String {
    format!("{:06}", 100_000 + n)
}

#[tokio::test]
async fn a_test_identity_is_mailed_nothing_and_verifies_with_the_static_code_once() {
    for method in ["OTP", "LINK_OTP"] {
        let world = listing(&[("passwordless_type", method)]).await;
        let receipt = world.send("Review+SKTest@example.com").await;
        assert!(!receipt.mailed);
        let depth = world.store.engine.outbox().await.unwrap().depth;
        assert_eq!(depth, 0, "{method}");
        let verified = world.verify(&receipt, CODE).await.unwrap();
        assert_eq!(verified.email, "Review+SKTest@example.com");
        assert_eq!(
            code_of(world.verify(&receipt, CODE).await),
            "AUTH_REQUEST_USED"
        );
    }
}

#[tokio::test]
async fn there_are_no_test_identities_until_an_admin_lists_one() {
    let world = World::strict().await;
    let receipt = world.send(REVIEW).await;
    assert!(receipt.mailed);
    assert_eq!(code_of(world.verify(&receipt, CODE).await), "INVALID_CODE");
}

#[tokio::test]
async fn the_static_code_is_wrong_for_every_other_address() {
    let world = listing(&[("sends_per_minute", "20")]).await;
    for other in [
        "ada@example.com",
        "other+sktest@example.com",
        "review+sktest@example.org",
    ] {
        let receipt = world.send(other).await;
        assert!(receipt.mailed, "{other}");
        assert_eq!(
            code_of(world.verify(&receipt, CODE).await),
            "INVALID_CODE",
            "{other}"
        );
        assert_eq!(world.request(&receipt).await.wrong.count(), 1, "{other}");
    }
}

#[tokio::test]
async fn a_request_that_was_mailed_before_its_address_was_listed_keeps_its_own_code() {
    let world = World::strict().await;
    let receipt = world.send(REVIEW).await;
    world.set(&[("test_addresses", REVIEW)]).await;
    assert_eq!(code_of(world.verify(&receipt, CODE).await), "INVALID_CODE");
    let mailed = world.mailed(&receipt).await.code;
    assert!(world.verify(&receipt, &mailed).await.is_ok());
}

#[tokio::test]
async fn switching_off_ends_the_static_code_of_requests_that_are_open() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    world.set(&[("test_addresses", "")]).await;
    assert_eq!(code_of(world.verify(&receipt, CODE).await), "INVALID_CODE");
    assert_eq!(code_of(world.resend(&receipt).await), "START_AGAIN");
    assert!(world.send(REVIEW).await.mailed);
}

#[tokio::test]
async fn a_new_static_code_replaces_the_old_one_at_once() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    world.set(&[("test_code", "31415926")]).await;
    assert_eq!(code_of(world.verify(&receipt, CODE).await), "INVALID_CODE");
    assert_eq!(
        world.request(&receipt).await.wrong.count(),
        0,
        "of another form: not counted"
    );
    assert!(world.verify(&receipt, "3141 5926").await.is_ok());
}

#[tokio::test]
async fn what_was_never_mailed_does_not_verify_either() {
    let world = listing(&[("passwordless_type", "LINK_OTP")]).await;
    let receipt = world.send(REVIEW).await;
    let code = derived(&world, &receipt).await;
    assert_eq!(code_of(world.verify(&receipt, &code).await), "INVALID_CODE");
    let link = derived_link(&world, &receipt).await;
    let by_link = world.verify_link(&link, Some(&receipt)).await;
    assert_eq!(code_of(by_link), "INVALID_LINK");
    assert!(world.verify(&receipt, CODE).await.is_ok());
}

#[tokio::test]
async fn with_links_alone_a_test_identity_is_refused_by_name() {
    let world = listing(&[("passwordless_type", "LINK")]).await;
    let refused = world.try_send(World::input(REVIEW)).await.unwrap_err();
    assert_eq!(refused.violations()[0].field, "email");
    assert!(refused.to_string().contains("test identity"), "{refused}");
}

#[tokio::test]
async fn a_link_of_another_request_never_opens_a_test_identity() {
    let world = listing(&[("passwordless_type", "LINK_OTP")]).await;
    let (test, other) = (
        world.send(REVIEW).await,
        world.send("ada@example.com").await,
    );
    let link = world.mailed(&other).await.link;
    let mixed = VerifyInput {
        link_token: Some(link),
        auth_request_id: Some(test.auth_request_id.expose().to_owned()),
        ..VerifyInput::default()
    };
    let refused = world.postern.verify(&world.caller, mixed).await;
    assert_eq!(code_of(refused), "OTHER_BROWSER");
}

#[tokio::test]
async fn five_wrong_codes_kill_the_request_of_a_test_identity_too() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    for n in 0..5 {
        assert_eq!(
            code_of(world.verify(&receipt, &wrong(n)).await),
            "INVALID_CODE"
        );
    }
    assert_eq!(
        code_of(world.verify(&receipt, CODE).await),
        "TOO_MANY_ATTEMPTS"
    );
    assert_eq!(code_of(world.resend(&receipt).await), "TOO_MANY_ATTEMPTS");
}

#[tokio::test]
async fn past_the_guess_budget_a_test_identity_waits_because_its_code_cannot_grow() {
    let world = listing(&[("guess_budget", "5")]).await;
    let before = world.send(REVIEW).await;
    let guessed = world.send(REVIEW).await;
    for n in 0..5 {
        world.verify(&guessed, &wrong(n)).await.unwrap_err();
    }
    assert_eq!(code_of(world.verify(&before, CODE).await), "RATE_LIMITED");
    assert_eq!(code_of(world.resend(&before).await), "RATE_LIMITED");
    assert_eq!(
        code_of(world.try_send(World::input(REVIEW)).await),
        "RATE_LIMITED"
    );
    world.advance(86_400);
    let receipt = world.send(REVIEW).await;
    assert!(world.verify(&receipt, CODE).await.is_ok());
}

#[tokio::test]
async fn test_identities_are_outside_the_send_quotas_and_leave_them_untouched() {
    let world = listing(&[("client_sends_per_minute", "1")]).await;
    for _ in 0..5 {
        let receipt = world.send(REVIEW).await;
        world.resend(&receipt).await.unwrap();
    }
    world.set(&[("test_addresses", "")]).await;
    assert!(world.send(REVIEW).await.mailed);
}

#[tokio::test]
async fn a_resend_mails_nothing_and_leaves_the_static_code_as_it_is() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    let again = world.resend(&receipt).await.unwrap();
    assert!(!again.mailed);
    assert_eq!(world.store.engine.outbox().await.unwrap().depth, 0);
    assert!(world.verify(&receipt, CODE).await.is_ok());
}

#[tokio::test]
async fn every_use_is_marked_in_the_events() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    world.resend(&receipt).await.unwrap();
    world.verify(&receipt, &wrong(0)).await.unwrap_err();
    world.verify(&receipt, CODE).await.unwrap();
    let used = ["initiated", "resent", "wrong_code", "verified"];
    let marked: Vec<_> = used
        .iter()
        .flat_map(|step| ["test_identity", *step])
        .collect();
    assert_eq!(world.steps(&receipt).await, marked);
}

#[tokio::test]
async fn a_test_identity_needs_no_mail_provider_and_others_still_do() {
    let world = World::without_mail().await;
    let ordinary = world.try_send(World::input("ada@example.com")).await;
    assert_eq!(code_of(ordinary), "MAIL_NOT_CONFIGURED");
    world.set(&[("test_addresses", REVIEW)]).await;
    let ordinary = world.try_send(World::input("ada@example.com")).await;
    assert_eq!(code_of(ordinary), "MAIL_NOT_CONFIGURED");
    let receipt = world.send(REVIEW).await;
    world.resend(&receipt).await.unwrap();
    assert!(world.verify(&receipt, CODE).await.is_ok());
}

#[tokio::test]
async fn a_static_code_dies_with_its_request_and_belongs_to_its_client() {
    let world = listing(&[]).await;
    let receipt = world.send(REVIEW).await;
    world.advance(300);
    assert_eq!(
        code_of(world.verify(&receipt, CODE).await),
        "AUTH_REQUEST_EXPIRED"
    );
    let AuthRequest { state, test, .. } = world.request(&receipt).await;
    assert_eq!((state, test), (State::Open, true));
}
