//! Custom mail templates.

use postern_core::Error;
use postern_core::model::{
    Language, MailKind, TemplateHead, TemplateKey, TemplateSource, TemplateVersion,
};
use postern_core::ports::{Amendment, Clock as _};

use super::race;
use crate::testing::TempStore;

fn key(tag: &str) -> TemplateKey {
    TemplateKey {
        kind: MailKind::SigninOtp,
        language: Language::parse(tag),
    }
}

fn version(store: &TempStore, key: TemplateKey, number: u32) -> TemplateVersion {
    TemplateVersion {
        key,
        number,
        source: TemplateSource {
            subject: format!("Ihr Code {number} ü"),
            html: "<p>{{ otp }}</p>".repeat(20),
            text: "{{ otp }}".into(),
        },
        at: store.clock.now(),
        by: "ada@example.com".into(),
        note: "edited".into(),
    }
}

fn head(store: &TempStore, key: TemplateKey, newest: u32) -> TemplateHead {
    TemplateHead {
        key,
        active: Some(newest),
        previous: None,
        newest,
        changed_at: store.clock.now(),
        changed_by: "ada@example.com".into(),
    }
}

fn save(store: &TempStore, key: &TemplateKey, number: u32) -> Vec<Amendment> {
    vec![
        Amendment::PutTemplateVersion(Box::new(version(store, key.clone(), number))),
        Amendment::PutTemplateHead(head(store, key.clone(), number)),
    ]
}

async fn amend(store: &TempStore, amendments: Vec<Amendment>) {
    let rule = Box::new(move |_: &_, _| Ok(amendments.clone()));
    store.engine.amend(rule).await.unwrap().unwrap();
}

/// The registry tells what is in force, for one language and for all; the shelf has the sources.
pub async fn a_template_reads_back_as_it_was_written(store: TempStore) {
    for key in [key("zh-Hant-TW"), key("")] {
        amend(&store, save(&store, &key, 1)).await;
    }
    let read = store.engine.snapshot().await.unwrap().templates;
    let expected = [key(""), key("zh-Hant-TW")].map(|key| head(&store, key, 1));
    assert_eq!(read, expected);
    let found = store.engine.template_version(&key(""), 1).await.unwrap();
    assert_eq!(found, Some(version(&store, key(""), 1)));
    let absent = store.engine.template_version(&key("de"), 1).await.unwrap();
    assert_eq!(absent, None);
}

/// A body of 1 MiB and a head without anything in force.
pub async fn a_large_template_and_an_inactive_one_are_kept(store: TempStore) {
    let mut large = version(&store, key("de"), 1);
    large.source.html = "ü".repeat(TemplateSource::MAX_BODY / 2);
    let idle = TemplateHead {
        active: None,
        previous: Some(1),
        ..head(&store, key("de"), 1)
    };
    let put = vec![
        Amendment::PutTemplateVersion(Box::new(large.clone())),
        Amendment::PutTemplateHead(idle.clone()),
    ];
    amend(&store, put).await;
    assert_eq!(store.engine.snapshot().await.unwrap().templates, [idle]);
    let found = store.engine.template_version(&key("de"), 1).await.unwrap();
    assert_eq!(found, Some(large));
}

/// Newest first, without sources but with their length; pruned ones are gone, the excepted stay.
pub async fn a_history_is_read_from_the_newest_and_pruned(store: TempStore) {
    for number in 1..=5 {
        amend(&store, save(&store, &key("de"), number)).await;
    }
    amend(&store, save(&store, &key("fr"), 1)).await;
    let prune = Amendment::PruneTemplate {
        key: key("de"),
        below: 4,
        but: vec![2],
    };
    amend(&store, vec![prune]).await;
    let kept = store.engine.template_history(&key("de")).await.unwrap();
    let numbers: Vec<u32> = kept.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [5, 4, 2]);
    let expected = version(&store, key("de"), 5);
    assert_eq!(kept[0].bytes, expected.source.bytes() as u64);
    assert_eq!(
        (kept[0].at, &kept[0].by, &kept[0].note),
        (expected.at, &expected.by, &expected.note)
    );
    let other = store.engine.template_history(&key("fr")).await.unwrap();
    assert_eq!(other.len(), 1);
}

/// Of several who saw the same newest version, one saves on top of it.
pub async fn one_of_many_who_saw_the_same_version_saves(store: TempStore) {
    amend(&store, save(&store, &key("de"), 1)).await;
    let next = save(&store, &key("de"), 2);
    let saved = race(&store, 6, move |engine, _| {
        let next = next.clone();
        async move {
            let rule = move |held: &postern_core::model::Snapshot, _| match held
                .template(&key("de"))
                .map(|head| head.newest)
            {
                Some(1) => Ok(next.clone()),
                _ => Err(Error::invalid("version", "stale", "stale")),
            };
            engine.amend(Box::new(rule)).await.unwrap().is_ok()
        }
    })
    .await;
    assert_eq!(saved.into_iter().filter(|saved| *saved).count(), 1);
}
