use std::sync::Arc;

use arc_swap::ArcSwap;
use postern_core::flow::{Parts, Postern, TemplateDraft};
use postern_core::keyring::{Keyring, RootSecret};
use postern_core::model::{
    DomainList, EventKind, Languages, MailKind, TemplateKey, TemplateSource, Variables,
};
use postern_core::ports::Templates as _;
use postern_store::testing::SeededEntropy;

use super::world::World;
use crate::mail::Templates;

/// A template that needs what a send may not supply.
fn demanding() -> TemplateDraft {
    TemplateDraft {
        key: TemplateKey::of(MailKind::SigninOtp),
        source: TemplateSource {
            subject: "{{ otp }}".to_owned(),
            html: "<p>{{ otp }} for {{ plan }}</p>".to_owned(),
            text: "{# needs plan #}{{ otp }}".to_owned(),
        },
        seen: None,
        note: "edited".to_owned(),
        activate: true,
    }
}

/// Only a template that came into force after the send can lack what the send did not supply.
#[tokio::test]
async fn a_mail_whose_template_cannot_be_filled_goes_out_as_the_built_in_one_and_says_so() {
    let world = World::new().await;
    let receipt = world.send("ada@example.com").await;
    let saved = world.postern.save_template(demanding()).await.unwrap();
    assert!(saved.active, "{saved:?}");
    world.outbox.bell().ring(receipt.delivery);
    world.attempted().await;
    assert_eq!(world.told(&receipt).await, ["sent after 1"]);
    let mails = world.smtp.wait_for(1).await;
    let mail = String::from_utf8_lossy(&mails[0].data).into_owned();
    assert!(mail.to_lowercase().contains("<!doctype html>"), "{mail}");
    let events = world.store.timeline(receipt.delivery.request).await;
    let failed = events.into_iter().find_map(|event| match event.what {
        EventKind::TemplateFailed {
            template, reason, ..
        } => Some((template, reason)),
        _ => None,
    });
    let (template, reason) = failed.unwrap();
    assert_eq!(template, "signin_otp, version 1");
    assert!(reason.contains("`plan` is undefined"), "{reason}");
}

#[tokio::test]
async fn another_node_knows_the_registry_before_it_takes_up_a_template() {
    let world = World::new().await;
    let (other, templates) = another_node(&world);
    other.refresh().await.unwrap();
    let missing = || {
        let settings = &other.snapshot().settings;
        let nothing = (&Languages::default(), &Variables::default());
        templates.missing(MailKind::SigninOtp, nothing.0, nothing.1, settings)
    };
    assert_eq!(missing(), [""; 0]);
    let saved = world.postern.save_template(demanding()).await.unwrap();
    assert!(saved.active);
    other.refresh().await.unwrap();
    assert_eq!(other.snapshot().templates.len(), 1);
    assert_eq!(
        missing(),
        [""; 0],
        "however long it takes, it waits for nothing"
    );
    other.follow_templates().await.unwrap();
    assert_eq!(missing(), ["plan"]);
    let key = TemplateKey::of(MailKind::SigninOtp);
    world.postern.revert_template(&key).await.unwrap();
    other.refresh().await.unwrap();
    other.follow_templates().await.unwrap();
    assert_eq!(missing(), [""; 0]);
}

/// Another process on the same store.
fn another_node(world: &World) -> (Postern, Arc<Templates>) {
    let templates = Arc::new(Templates::built_in());
    let keyring = Keyring::new(&[(1, RootSecret::new([3; 32]))], 1).unwrap();
    let postern = Postern::new(Parts {
        store: Arc::clone(&world.store.engine),
        clock: Arc::clone(&world.store.clock) as _,
        entropy: Arc::new(SeededEntropy::new(9)),
        templates: Arc::clone(&templates) as _,
        keyring: Arc::new(ArcSwap::from_pointee(keyring)),
        snapshot: Arc::default(),
        disposable: Arc::new(ArcSwap::from_pointee(DomainList::bundled())),
        inbox: false,
    });
    (postern, templates)
}
