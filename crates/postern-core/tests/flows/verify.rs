use std::sync::Arc;

use postern_core::flow::{SendInput, VerifyInput};
use postern_core::model::{Caller, ClientId, Template, UsedBy};

use crate::world::{World, by_code, code_of};

const BOTH: &[(&str, &str)] = &[("passwordless_type", "LINK_OTP")];

#[tokio::test]
async fn the_right_code_gives_back_address_state_and_template_once() {
    let world = World::new().await;
    let input = SendInput {
        state: Some("opaque ✓".into()),
        template: Some(2),
        ..World::input("Ada@Example.com")
    };
    let receipt = world.try_send(input).await.unwrap();
    let mailed = world.mailed(&receipt).await;
    let verified = world.verify(&receipt, &mailed.code).await.unwrap();
    assert_eq!(verified.email, "Ada@Example.com");
    assert_eq!(verified.state.as_deref(), Some("opaque ✓"));
    assert_eq!(
        (verified.template, verified.by),
        (Some(Template::Signup), UsedBy::Code)
    );
    assert_eq!(
        code_of(world.verify(&receipt, &mailed.code).await),
        "AUTH_REQUEST_USED"
    );
    assert_eq!(
        world.steps(&receipt).await,
        ["initiated", "mail_queued", "verified"]
    );
}

#[tokio::test]
async fn a_link_needs_no_request_id_until_same_browser_is_on_which_is_live() {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let token = world.mailed(&receipt).await.link;
    world.set(&[("enforce_same_browser_origin", "true")]).await;
    assert_eq!(
        code_of(world.verify_link(&token, None).await),
        "OTHER_BROWSER"
    );
    let other = world.send("bob@example.com").await;
    assert_eq!(
        code_of(world.verify_link(&token, Some(&other)).await),
        "OTHER_BROWSER"
    );
    assert_eq!(
        world.verify_link(&token, Some(&receipt)).await.unwrap().by,
        UsedBy::Link
    );
}

#[tokio::test]
async fn another_request_id_beside_a_link_is_refused_even_when_none_is_needed() {
    let world = World::with(BOTH).await;
    let (receipt, other) = (
        world.send("ada@example.com").await,
        world.send("bob@example.com").await,
    );
    let token = world.mailed(&receipt).await.link;
    assert_eq!(
        code_of(world.verify_link(&token, Some(&other)).await),
        "OTHER_BROWSER"
    );
    assert!(world.verify_link(&token, None).await.is_ok());
}

#[tokio::test]
async fn a_used_link_kills_the_code_of_its_request_too() {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let mailed = world.mailed(&receipt).await;
    world.verify_link(&mailed.link, None).await.unwrap();
    assert_eq!(
        code_of(world.verify(&receipt, &mailed.code).await),
        "AUTH_REQUEST_USED"
    );
    assert_eq!(code_of(world.resend(&receipt).await), "AUTH_REQUEST_USED");
}

#[tokio::test]
async fn a_code_is_read_as_people_type_it() {
    for style in ["{} ", "spaced", "dashed", "arabic"] {
        let world = World::new().await;
        let receipt = world.send("ada@example.com").await;
        let code = world.mailed(&receipt).await.code;
        let typed = match style {
            "spaced" => format!("{} {}", &code[..3], &code[3..]),
            "dashed" => format!("{}–{}", &code[..3], &code[3..]),
            "arabic" => code
                .chars()
                .map(|c| char::from_u32(c as u32 - 48 + 0x660).unwrap())
                .collect(),
            _ => format!(" {code} "),
        };
        assert!(
            world.verify(&receipt, &typed).await.is_ok(),
            "{style}: {typed}"
        );
    }
}

#[tokio::test]
async fn lower_case_letters_of_an_alphanumeric_code_are_accepted() {
    let world = World::with(&[("code_alphabet", "ALPHANUMERIC"), ("code_length", "10")]).await;
    let receipt = world.send("ada@example.com").await;
    let code = world.mailed(&receipt).await.code;
    assert!(world.verify(&receipt, &code.to_lowercase()).await.is_ok());
}

#[tokio::test]
async fn both_proofs_neither_proof_and_a_code_without_its_request_are_invalid() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let both = VerifyInput {
        link_token: Some("x".into()),
        ..by_code(&receipt, "123456")
    };
    assert_eq!(
        code_of(world.postern.verify(&world.caller, both).await),
        "INVALID_ARGUMENT"
    );
    let neither = VerifyInput {
        code: Some(String::new()),
        ..by_code(&receipt, "")
    };
    assert_eq!(
        code_of(world.postern.verify(&world.caller, neither).await),
        "INVALID_ARGUMENT"
    );
    let bare = VerifyInput {
        auth_request_id: None,
        ..by_code(&receipt, "123456")
    };
    assert_eq!(
        code_of(world.postern.verify(&world.caller, bare).await),
        "INVALID_ARGUMENT"
    );
    let long = by_code(&receipt, "123456789012345678901");
    assert_eq!(
        code_of(world.postern.verify(&world.caller, long).await),
        "INVALID_ARGUMENT"
    );
}

/// The token with one character of its middle changed.
fn flip(token: &str) -> String {
    let other = if token.as_bytes()[20] == b'A' {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..20], &token[21..])
}

#[tokio::test]
async fn a_bad_tag_answers_like_a_request_that_is_gone() {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let mailed = world.mailed(&receipt).await;
    let forged = flip(receipt.auth_request_id.expose());
    let input = VerifyInput {
        auth_request_id: Some(forged),
        ..by_code(&receipt, "123456")
    };
    let bad_handle = world
        .postern
        .verify(&world.caller, input)
        .await
        .unwrap_err();
    let bad_link = world
        .verify_link(&flip(&mailed.link), None)
        .await
        .unwrap_err();
    let address = postern_core::model::Email::parse("ada@example.com").unwrap();
    world.store.engine.forget_address(&address).await.unwrap();
    let gone = world.verify(&receipt, "123456").await.unwrap_err();
    assert_eq!(
        (bad_handle.code(), bad_handle.to_string()),
        (gone.code(), gone.to_string())
    );
    assert_eq!(gone.code(), "AUTH_REQUEST_NOT_FOUND");
    let gone = world.verify_link(&mailed.link, None).await.unwrap_err();
    assert_eq!(
        (bad_link.code(), bad_link.to_string()),
        (gone.code(), gone.to_string())
    );
    assert_eq!(gone.code(), "INVALID_LINK");
}

#[tokio::test]
async fn a_request_of_another_client_is_not_found_and_stays_untouched() {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let mailed = world.mailed(&receipt).await;
    let other = Caller::new(ClientId::parse("skc_other").unwrap());
    let by_other = |input| world.postern.verify(&other, input);
    assert_eq!(
        code_of(by_other(by_code(&receipt, &mailed.code)).await),
        "AUTH_REQUEST_NOT_FOUND"
    );
    let link = VerifyInput {
        link_token: Some(mailed.link),
        ..VerifyInput::default()
    };
    assert_eq!(code_of(by_other(link).await), "AUTH_REQUEST_NOT_FOUND");
    let auth_request_id = receipt.auth_request_id.expose().to_owned();
    let resend = postern_core::flow::ResendInput { auth_request_id };
    assert_eq!(
        code_of(world.postern.resend(&other, resend).await),
        "AUTH_REQUEST_NOT_FOUND"
    );
    assert!(world.verify(&receipt, &mailed.code).await.is_ok());
}

#[tokio::test]
async fn the_right_passcode_after_the_last_attempt_is_refused() {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let mailed = world.mailed(&receipt).await;
    for n in 0..5 {
        let wrong = world.wrong(&receipt, n).await;
        assert_eq!(
            code_of(world.verify(&receipt, &wrong).await),
            "INVALID_CODE"
        );
    }
    let refused = world.verify(&receipt, &mailed.code).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.retry_after()),
        ("TOO_MANY_ATTEMPTS", None)
    );
    assert_eq!(
        code_of(world.verify_link(&mailed.link, None).await),
        "TOO_MANY_ATTEMPTS"
    );
    assert_eq!(code_of(world.resend(&receipt).await), "TOO_MANY_ATTEMPTS");
    let steps = world.steps(&receipt).await;
    assert_eq!(steps.iter().filter(|step| *step == "wrong_code").count(), 5);
    assert_eq!(steps.last().unwrap(), "locked");
}

#[tokio::test]
async fn the_same_wrong_code_twice_is_counted_once_and_told_once() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let wrong = world.wrong(&receipt, 0).await;
    for _ in 0..7 {
        let refused = world.verify(&receipt, &wrong).await.unwrap_err();
        assert!(refused.to_string().contains("4 attempts left"), "{refused}");
    }
    assert_eq!(
        world.steps(&receipt).await,
        ["initiated", "mail_queued", "wrong_code"]
    );
}

#[tokio::test]
async fn sixteen_callers_with_the_right_code_have_one_winner() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let code = world.mailed(&receipt).await.code;
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (postern, caller) = (Arc::clone(&world.postern), world.caller.clone());
            let input = by_code(&receipt, &code);
            tokio::spawn(async move { postern.verify(&caller, input).await.map_err(|e| e.code()) })
        })
        .collect();
    let mut won = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(_) => won += 1,
            Err(code) => assert_eq!(code, "AUTH_REQUEST_USED"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn of_a_hundred_parallel_guesses_at_most_five_are_counted() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let mut calls = Vec::new();
    for n in 0..100 {
        let (postern, caller) = (Arc::clone(&world.postern), world.caller.clone());
        let input = by_code(&receipt, &world.wrong(&receipt, n).await);
        calls.push(tokio::spawn(async move {
            // A slow store refuses part of a crowd; nothing was done then.
            loop {
                let judged = postern.verify(&caller, input.clone()).await;
                match judged.map_err(|e| e.code()) {
                    Err("UNAVAILABLE") => tokio::task::yield_now().await,
                    judged => return judged,
                }
            }
        }));
    }
    let mut counted = 0;
    for call in calls {
        match call.await.unwrap().unwrap_err() {
            "INVALID_CODE" => counted += 1,
            other => assert_eq!(other, "TOO_MANY_ATTEMPTS"),
        }
    }
    assert_eq!(counted, 5);
    assert_eq!(world.request(&receipt).await.wrong.count(), 5);
}

#[tokio::test]
async fn tags_are_checked_before_the_store_is_asked_and_a_forged_one_costs_what_a_gone_request_costs()
 {
    let world = World::with(BOTH).await;
    let receipt = world.send("ada@example.com").await;
    let mailed = world.mailed(&receipt).await;
    let named = World::id(&receipt);
    world.spy.asked();
    let forged = VerifyInput {
        auth_request_id: Some(flip(receipt.auth_request_id.expose())),
        ..by_code(&receipt, "123456")
    };
    world
        .postern
        .verify(&world.caller, forged)
        .await
        .unwrap_err();
    world
        .verify_link(&flip(&mailed.link), None)
        .await
        .unwrap_err();
    let auth_request_id = flip(receipt.auth_request_id.expose());
    let resend = postern_core::flow::ResendInput { auth_request_id };
    world
        .postern
        .resend(&world.caller, resend)
        .await
        .unwrap_err();
    let asked = world.spy.asked();
    assert_eq!(
        asked.len(),
        3,
        "one act each, as for a request that is gone"
    );
    assert!(!asked.contains(&named));
    world.verify(&receipt, "123456").await.unwrap_err();
    assert_eq!(world.spy.asked(), [named]);
}
