//! Which template serves a reader: one rule, for what is sent and for what is shown of it.

use postern_core::model::{Language, Languages, MailKind, TemplateHead, TemplateKey};
use postern_core::settings::Settings;

use crate::mail::wording;

/// Whose template a reader gets, and in which language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// Whose: a custom template has this key, unless the built-in one is in force.
    pub key: TemplateKey,
    /// The language of the mail.
    pub language: Language,
}

impl Serving {
    /// What a reader of `wanted` gets, when `own` are the languages that the kind has a template of
    /// its own in force for. Of the languages that they want, the first one counts that one of these
    /// or the built-in wording serves; a template in that language comes before the one for all.
    pub(super) fn of(
        kind: MailKind,
        own: &[Language],
        wanted: &Languages,
        settings: &Settings,
    ) -> Self {
        let known = wording::languages();
        let served = |wanted: &Language| match wanted.best_of(own) {
            Some(language) => Some((Some(language.clone()), language.clone())),
            None => Some((None, wanted.best_of(known)?.clone())),
        };
        let (own, language) = wanted
            .iter()
            .chain([&settings.default_language])
            .find_map(served)
            .unwrap_or_else(|| (None, known[0].clone()));
        Self {
            key: TemplateKey {
                kind,
                language: own,
            },
            language,
        }
    }
}

/// What readers of `key`'s language get of its kind, by what `heads` says is in force, with the
/// version; none is the built-in template. Without a language it is what serves all.
pub fn in_force(
    key: &TemplateKey,
    heads: &[TemplateHead],
    settings: &Settings,
) -> (Serving, Option<u32>) {
    let serving = match &key.language {
        None => Serving {
            key: key.clone(),
            language: settings.default_language.clone(),
        },
        Some(reader) => {
            let own: Vec<Language> = heads
                .iter()
                .filter(|head| head.key.kind == key.kind && head.active.is_some())
                .filter_map(|head| head.key.language.clone())
                .collect();
            let wanted = Languages::parse(&reader.to_string());
            Serving::of(key.kind, &own, &wanted, settings)
        }
    };
    let head = heads.iter().find(|head| head.key == serving.key);
    (serving, head.and_then(|head| head.active))
}

/// Whose custom template the readers of `key`'s language get while it has none of its own in force;
/// none where that is the built-in one.
pub fn served_instead(
    key: &TemplateKey,
    heads: &[TemplateHead],
    settings: &Settings,
) -> Option<TemplateKey> {
    let (serving, number) = in_force(key, heads, settings);
    (number.is_some() && serving.key != *key).then_some(serving.key)
}

#[cfg(test)]
mod tests {
    use postern_core::model::Timestamp;

    use super::*;

    fn head(language: Option<&str>, active: Option<u32>) -> TemplateHead {
        TemplateHead {
            key: key(language),
            active,
            previous: None,
            newest: 9,
            changed_at: Timestamp::from_unix_seconds(0),
            changed_by: String::new(),
        }
    }

    fn key(language: Option<&str>) -> TemplateKey {
        TemplateKey {
            kind: MailKind::SigninOtp,
            language: language.and_then(Language::parse),
        }
    }

    #[test]
    fn a_reader_is_shown_what_a_reader_is_sent() {
        let heads = [
            head(None, Some(3)),
            head(Some("de"), Some(5)),
            head(Some("fr"), None),
        ];
        for (reader, whose, number, language) in [
            (Some("de"), Some("de"), Some(5), "de"),
            (Some("de-AT"), Some("de"), Some(5), "de"),
            (Some("ja"), None, Some(3), "ja"),
            (Some("fr"), None, Some(3), "fr"),
            (Some("sv"), None, Some(3), "en"),
            (None, None, Some(3), "en"),
        ] {
            let (serving, found) = in_force(&key(reader), &heads, &Settings::default());
            assert_eq!(
                (serving.key, found, serving.language.to_string().as_str()),
                (key(whose), number, language),
                "{reader:?}"
            );
        }
    }

    #[test]
    fn who_has_no_template_of_their_own_in_force_is_served_that_of_others() {
        let heads = [
            head(None, Some(3)),
            head(Some("de"), Some(5)),
            head(Some("fr"), None),
        ];
        for (reader, whose) in [
            (Some("fr"), Some(key(None))),
            (Some("de-AT"), Some(key(Some("de")))),
            (Some("de"), None),
            (None, None),
        ] {
            let instead = served_instead(&key(reader), &heads, &Settings::default());
            assert_eq!(instead, whose, "{reader:?}");
        }
        let nobody = served_instead(&key(Some("fr")), &heads[2..], &Settings::default());
        assert_eq!(nobody, None);
    }

    #[test]
    fn where_nothing_is_in_force_it_is_the_built_in_template() {
        let (serving, number) = in_force(&key(Some("ja")), &[], &Settings::default());
        assert_eq!((serving.key, number), (key(None), None));
    }
}
