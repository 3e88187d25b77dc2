//! Custom mail templates: saving, coming into force, going back.

use postern_core::Error;
use postern_core::flow::{SavedTemplate, TemplateDraft, VERSIONS_KEPT};
use postern_core::model::{Language, MailKind, TemplateKey, TemplateSource};

use crate::world::World;

fn key() -> TemplateKey {
    TemplateKey {
        kind: MailKind::SigninOtp,
        language: Language::parse("de"),
    }
}

fn draft(text: &str) -> TemplateDraft {
    TemplateDraft {
        key: key(),
        source: TemplateSource {
            subject: "s".to_owned(),
            html: "<p></p>".to_owned(),
            text: text.to_owned(),
        },
        seen: None,
        note: "edited".to_owned(),
        activate: true,
    }
}

async fn save(world: &World, text: &str) -> SavedTemplate {
    world.postern.save_template(draft(text)).await.unwrap()
}

fn active(world: &World) -> Option<u32> {
    world.postern.snapshot().template(&key()).unwrap().active
}

fn constraint<T>(done: Result<T, Error>) -> &'static str {
    match done {
        Ok(_) => "done",
        Err(error) => error.violations()[0].constraint,
    }
}

#[tokio::test]
async fn a_saved_template_is_in_force_and_names_who_saved_it() {
    let world = World::new().await;
    let ada = world.postern.acting("ada@example.com");
    let saved = ada.save_template(draft("one")).await.unwrap();
    assert_eq!((saved.number, saved.active), (1, true));
    let version = ada.template_version(&key(), 1).await.unwrap();
    assert_eq!(
        (&*version.by, &*version.source.text),
        ("ada@example.com", "one")
    );
    let audit = world.store.engine.audit(None, 2).await.unwrap();
    let told: Vec<_> = audit
        .into_iter()
        .map(|(_, entry)| {
            (
                entry.actor,
                entry.action,
                entry.target,
                entry.before,
                entry.after,
            )
        })
        .collect();
    let expected = [
        ("template.use", "the built-in template", "version 1"),
        ("template.save", "", "version 1, edited, 11 bytes"),
    ]
    .map(|(action, before, after)| {
        let words = ["ada@example.com", action, "signin_otp (de)", before, after];
        let [actor, action, target, before, after] = words.map(str::to_owned);
        (actor, action, target, before, after)
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_template_with_faults_is_kept_as_a_draft_and_can_never_be_put_in_force() {
    let world = World::new().await;
    save(&world, "one").await;
    let saved = save(&world, "broken").await;
    assert_eq!(
        (saved.number, saved.active, saved.faults.len()),
        (2, false, 1)
    );
    assert_eq!(active(&world), Some(1));
    let forced = world.postern.use_template(&key(), Some(2)).await;
    assert_eq!(constraint(forced), "lint");
    assert_eq!(active(&world), Some(1));
}

#[tokio::test]
async fn a_revert_brings_back_what_was_before_and_a_second_one_undoes_it() {
    let world = World::new().await;
    for text in ["one", "two", "three"] {
        save(&world, text).await;
    }
    for expected in [Some(2), Some(3), Some(2)] {
        world.postern.revert_template(&key()).await.unwrap();
        assert_eq!(active(&world), expected);
    }
    world.postern.use_template(&key(), None).await.unwrap();
    assert_eq!(active(&world), None);
    world.postern.revert_template(&key()).await.unwrap();
    assert_eq!(active(&world), Some(2));
}

#[tokio::test]
async fn the_first_revert_brings_the_built_in_template_back() {
    let world = World::new().await;
    assert_eq!(
        constraint(world.postern.revert_template(&key()).await),
        "exists"
    );
    save(&world, "one").await;
    world.postern.revert_template(&key()).await.unwrap();
    assert_eq!(active(&world), None);
}

#[tokio::test]
async fn a_save_on_top_of_what_somebody_else_saved_meanwhile_is_refused() {
    let world = World::new().await;
    save(&world, "one").await;
    let seen = |text, seen| TemplateDraft {
        seen: Some(seen),
        ..draft(text)
    };
    let mine = world.postern.save_template(seen("two", 1)).await.unwrap();
    assert_eq!(mine.number, 2);
    let theirs = world.postern.save_template(seen("three", 1)).await;
    assert_eq!(constraint(theirs), "stale");
    assert_eq!(
        constraint(world.postern.save_template(seen("four", 0)).await),
        "stale"
    );
}

#[tokio::test]
async fn saving_what_is_there_already_makes_no_version() {
    let world = World::new().await;
    let held_back = TemplateDraft {
        activate: false,
        ..draft("one")
    };
    let first = world.postern.save_template(held_back).await.unwrap();
    assert_eq!((first.number, first.active), (1, false));
    let again = save(&world, "one").await;
    assert_eq!((again.number, again.active), (1, true));
}

#[tokio::test]
async fn the_history_is_bounded_and_what_a_revert_needs_stays() {
    let world = World::new().await;
    save(&world, "one").await;
    save(&world, "two").await;
    for n in 0..VERSIONS_KEPT + 5 {
        let idle = TemplateDraft {
            activate: false,
            ..draft(&format!("draft {n}"))
        };
        world.postern.save_template(idle).await.unwrap();
    }
    let history = world.postern.template_history(&key()).await.unwrap();
    let numbers: Vec<u32> = history.iter().map(|entry| entry.number).collect();
    let newest = VERSIONS_KEPT + 7;
    let expected: Vec<u32> = (newest - VERSIONS_KEPT + 1..=newest)
        .rev()
        .chain([2, 1])
        .collect();
    assert_eq!(numbers, expected);
    world.postern.revert_template(&key()).await.unwrap();
    assert_eq!(active(&world), Some(1));
}

#[tokio::test]
async fn what_is_too_long_is_not_kept_at_all() {
    let world = World::new().await;
    let long = draft(&"x".repeat(TemplateSource::MAX_BODY + 1));
    assert_eq!(
        constraint(world.postern.save_template(long).await),
        "max_bytes:1048576"
    );
    assert_eq!(
        constraint(world.postern.template_version(&key(), 1).await),
        "exists"
    );
}
