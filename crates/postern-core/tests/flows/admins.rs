//! Who gets into the dashboard, and what the audit tells of them.

use std::time::Duration;

use postern_core::flow::{
    INVITE_LIVES, PROOF_LASTS, Receipt, SESSION_IDLES, SESSION_LIVES, VerifyInput, token_digest,
};
use postern_core::model::{Email, RequestHandle, Role};

use crate::world::{World, code_of};

const LINK: &str = "https://sign-in.example.com/dashboard/sign-in/link";

fn ada() -> Email {
    Email::parse("ada@example.com").unwrap()
}

async fn let_in(world: &World) -> String {
    let invite = world
        .postern
        .invite_admin("ada@example.com", Role::Owner)
        .await;
    let session = world
        .postern
        .accept_invite(invite.unwrap().expose(), "Firefox")
        .await;
    session.unwrap().expose().to_owned()
}

/// Asks for a sign-in mail: what the browser keeps, and what was sent.
async fn asked(world: &World, email: &str) -> (RequestHandle, Option<Receipt>) {
    let mail = world.postern.admin_mail(email, LINK).unwrap();
    let handle = mail.handle.clone();
    (handle, world.postern.send_admin_mail(mail).await.unwrap())
}

#[tokio::test]
async fn an_invitation_lets_its_person_in_once_and_for_an_hour() {
    let world = World::new().await;
    let invite = world
        .postern
        .invite_admin("ada@example.com", Role::Owner)
        .await
        .unwrap();
    assert_eq!(
        world.postern.invited(invite.expose()).await.unwrap(),
        Some(ada())
    );
    let session = world
        .postern
        .accept_invite(invite.expose(), "Firefox")
        .await
        .unwrap();
    let signed_in = world
        .postern
        .signed_in(session.expose())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (signed_in.account.role, signed_in.fresh),
        (Role::Owner, true)
    );
    assert_eq!(
        code_of(world.postern.accept_invite(invite.expose(), "").await),
        "INVALID_LINK"
    );
    let late = world
        .postern
        .invite_admin("bob@example.com", Role::Viewer)
        .await
        .unwrap();
    world.store.clock.advance(INVITE_LIVES);
    assert_eq!(
        code_of(world.postern.accept_invite(late.expose(), "").await),
        "INVALID_LINK"
    );
    assert_eq!(world.postern.snapshot().admins.len(), 1);
}

#[tokio::test]
async fn an_invitation_does_not_change_the_role_of_who_is_there() {
    let world = World::new().await;
    let_in(&world).await;
    let again = world
        .postern
        .invite_admin("ADA@example.com", Role::Viewer)
        .await
        .unwrap();
    world
        .postern
        .accept_invite(again.expose(), "")
        .await
        .unwrap();
    let roles: Vec<_> = world
        .postern
        .snapshot()
        .admins
        .iter()
        .map(|a| a.role)
        .collect();
    assert_eq!(roles, [Role::Owner]);
}

#[tokio::test]
async fn a_session_ends_by_idleness_by_age_and_with_its_admin() {
    let world = World::new().await;
    let token = let_in(&world).await;
    let lives = || async { world.postern.signed_in(&token).await.unwrap() };
    world.store.clock.advance(PROOF_LASTS);
    assert!(!lives().await.unwrap().fresh);
    let mut age = PROOF_LASTS;
    while age + SESSION_IDLES < SESSION_LIVES {
        let step = SESSION_IDLES.checked_sub(Duration::from_secs(1)).unwrap();
        world.store.clock.advance(step);
        age += step;
        assert!(lives().await.is_some(), "used in time");
    }
    world.store.clock.advance(SESSION_LIVES.saturating_sub(age));
    assert!(lives().await.is_none(), "too old");
    let idle = let_in(&world).await;
    world.store.clock.advance(SESSION_IDLES);
    assert!(world.postern.signed_in(&idle).await.unwrap().is_none());
    let gone = let_in(&world).await;
    world
        .postern
        .put_admin("bob@example.com", Role::Owner)
        .await
        .unwrap();
    world.postern.drop_admin("ada@example.com").await.unwrap();
    assert!(world.postern.signed_in(&gone).await.unwrap().is_none());
}

#[tokio::test]
async fn a_removed_admin_does_not_come_back_by_an_invitation_that_was_left() {
    let world = World::new().await;
    let spare = world.postern.invite_admin("Ada@example.com", Role::Owner);
    let spare = spare.await.unwrap();
    let_in(&world).await;
    let bob = world.postern.put_admin("bob@example.com", Role::Owner);
    bob.await.unwrap();
    world.postern.drop_admin("ada@example.com").await.unwrap();
    let back = world.postern.accept_invite(spare.expose(), "").await;
    assert_eq!(code_of(back), "INVALID_LINK");
    let anew = world.postern.invite_admin("ada@example.com", Role::Viewer);
    let anew = anew.await.unwrap();
    let back = world.postern.accept_invite(anew.expose(), "").await;
    assert!(back.is_ok(), "an invitation made since lets them in");
}

#[tokio::test]
async fn the_last_owner_can_neither_leave_nor_step_down() {
    let world = World::new().await;
    let_in(&world).await;
    assert_eq!(
        code_of(world.postern.drop_admin("ada@example.com").await),
        "INVALID_ARGUMENT"
    );
    let down = world
        .postern
        .put_admin("Ada@example.com", Role::Viewer)
        .await;
    assert_eq!(code_of(down), "INVALID_ARGUMENT");
    world
        .postern
        .put_admin("bob@example.com", Role::Owner)
        .await
        .unwrap();
    world
        .postern
        .put_admin("ada@example.com", Role::Viewer)
        .await
        .unwrap();
}

#[tokio::test]
async fn admins_sign_in_by_mail_whatever_the_settings_are() {
    let world = World::with(&[
        ("enabled", "false"),
        ("passwordless_type", "LINK"),
        ("link_origins", "https://elsewhere.example.com"),
    ])
    .await;
    let_in(&world).await;
    let (handle, receipt) = asked(&world, "ADA@example.com").await;
    let mailed = world.mailed(&receipt.unwrap()).await;
    let proof = |code: Option<String>, link_token| VerifyInput {
        code,
        link_token,
        auth_request_id: Some(handle.expose().to_owned()),
    };
    let elsewhere = VerifyInput {
        link_token: Some(mailed.link.clone()),
        ..VerifyInput::default()
    };
    assert_eq!(
        code_of(world.postern.verify_admin(elsewhere).await),
        "OTHER_BROWSER"
    );
    let email = world
        .postern
        .verify_admin(proof(Some(mailed.code), None))
        .await
        .unwrap();
    assert_eq!(email, ada());
}

#[tokio::test]
async fn whoever_guesses_an_admins_code_has_the_standard_budget_whatever_the_settings_are() {
    let world = World::with(&[
        ("sends_per_minute", "100"),
        ("sends_per_hour", "100"),
        ("sends_per_day", "100"),
        ("guess_budget", "1000"),
    ])
    .await;
    let_in(&world).await;
    let mut lengths = Vec::new();
    for _ in 0..21 {
        let (handle, receipt) = asked(&world, "ada@example.com").await;
        let code = world.mailed(&receipt.unwrap()).await.code;
        lengths.push(code.len());
        let wrong = (100_000..).map(|n: u32| n.to_string());
        for wrong in wrong.filter(|wrong| *wrong != code).take(5) {
            let guess = VerifyInput {
                code: Some(wrong),
                auth_request_id: Some(handle.expose().to_owned()),
                ..VerifyInput::default()
            };
            world.postern.verify_admin(guess).await.unwrap_err();
        }
    }
    let (last, before) = lengths.split_last().unwrap();
    assert!(before.iter().all(|length| *length == 6), "{lengths:?}");
    assert_eq!(*last, 10, "a hundred wrong codes are the standard");
}

#[tokio::test]
async fn what_is_noted_holds_no_nul() {
    let world = World::new().await;
    let noting = world.postern.note(
        "provider.test",
        "a\0b".into(),
        String::new(),
        "\0to\0".into(),
    );
    noting.await.unwrap();
    let audit = world.store.engine.audit(None, 1).await.unwrap();
    let entry = &audit[0].1;
    assert_eq!((&*entry.target, &*entry.after), ("ab", "to"));
}

#[tokio::test]
async fn who_is_no_admin_gets_the_same_answer_and_no_mail() {
    let world = World::strict().await;
    let_in(&world).await;
    let (handle, receipt) = asked(&world, "eve@example.com").await;
    assert!(receipt.is_none());
    assert_eq!(handle.expose().len(), 44);
    for held_back in [false, false, true] {
        let (handle, receipt) = asked(&world, "ada@example.com").await;
        assert_eq!((receipt.is_none(), handle.expose().len()), (held_back, 44));
    }
    let guess = VerifyInput {
        code: Some("123456".into()),
        auth_request_id: Some(handle.expose().to_owned()),
        ..VerifyInput::default()
    };
    assert_eq!(
        code_of(world.postern.verify_admin(guess).await),
        "AUTH_REQUEST_NOT_FOUND"
    );
}

#[tokio::test]
async fn the_mails_of_one_admin_use_up_no_quota_of_another() {
    let world = World::with(&[("client_sends_per_minute", "1")]).await;
    let_in(&world).await;
    let bob = world.postern.put_admin("bob@example.com", Role::Owner);
    bob.await.unwrap();
    for admin in ["ada@example.com", "ada@example.com", "bob@example.com"] {
        let (_, receipt) = asked(&world, admin).await;
        assert!(receipt.is_some(), "{admin}");
    }
}

#[tokio::test]
async fn what_apps_send_to_an_admin_and_their_sign_in_mails_are_counted_apart() {
    let world = World::strict().await;
    let_in(&world).await;
    for held_back in [false, false, true] {
        let (_, receipt) = asked(&world, "ada@example.com").await;
        assert_eq!(receipt.is_none(), held_back);
    }
    for held_back in [false, false, true] {
        let sent = world.try_send(World::input("ada@example.com")).await;
        assert_eq!(sent.is_err(), held_back);
    }
    world.store.clock.advance(Duration::from_mins(2));
    for _ in 0..2 {
        assert!(
            world
                .try_send(World::input("ada@example.com"))
                .await
                .is_ok()
        );
    }
    let (_, receipt) = asked(&world, "ada@example.com").await;
    assert!(receipt.is_some(), "no app keeps an admin out");
}

#[tokio::test]
async fn the_suppression_list_keeps_no_admin_out() {
    let world = World::new().await;
    let_in(&world).await;
    let said = "rcpt: 550 5.1.1 <address> no such user";
    assert!(world.postern.suppress_bounced(&ada(), said).await.unwrap());
    let (handle, receipt) = asked(&world, "ada@example.com").await;
    let mailed = world.mailed(&receipt.unwrap()).await;
    let proof = VerifyInput {
        code: Some(mailed.code),
        auth_request_id: Some(handle.expose().to_owned()),
        ..VerifyInput::default()
    };
    assert_eq!(world.postern.verify_admin(proof).await.unwrap(), ada());
    let app = world.try_send(World::input("ada@example.com")).await;
    assert_eq!(code_of(app), "ADDRESS_SUPPRESSED");
}

#[tokio::test]
async fn the_audit_names_who_did_what_with_before_and_after() {
    let world = World::new().await;
    let token = let_in(&world).await;
    let ada = world.postern.acting("ada@example.com");
    let change = vec![("expires_in".to_owned(), "600s".to_owned())];
    ada.change_settings(change.clone()).await.unwrap();
    ada.change_settings(change).await.unwrap();
    let client = ada.create_client("shop").await.unwrap();
    assert!(ada.end_session(token_digest(&token)).await.unwrap());
    let audit = world.store.engine.audit(None, 3).await.unwrap();
    let told: Vec<_> = audit.into_iter().map(|(_, entry)| entry).collect();
    assert!(told.iter().all(|entry| entry.actor == "ada@example.com"));
    let actions: Vec<_> = told.iter().map(|entry| &*entry.action).collect();
    assert_eq!(
        actions,
        ["session.end", "client.put", "setting.put"],
        "what changed nothing is no entry"
    );
    assert_eq!((&*told[2].before, &*told[2].after), ("300s", "600s"));
    assert_eq!(told[1].before, "");
    let all = format!("{told:?}");
    assert!(
        !all.contains(client.secret.expose()) && !all.contains(&token),
        "no secret is in it"
    );
}

#[tokio::test]
async fn a_secret_that_is_replaced_within_a_second_is_an_entry() {
    let world = World::new().await;
    let ada = world.postern.acting("ada@example.com");
    let client = ada.create_client("shop").await.unwrap();
    let id = client.id;
    ada.rotate_client(&id, Duration::ZERO, None).await.unwrap();
    let audit = world.store.engine.audit(None, 1).await.unwrap();
    assert!(audit[0].1.after.contains("secret replaced"));
}
