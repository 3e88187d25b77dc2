use std::collections::BTreeSet;

use super::*;

fn wording(tag: &str) -> &'static Wording {
    Wording::in_language(&Language::parse(tag).unwrap())
}

/// The names of the messages in a locale's source.
fn keys(source: &str) -> BTreeSet<&str> {
    source
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" ="))
        .map(|(key, _)| key)
        .collect()
}

/// What a message names, such as `$code`.
fn named(source: &str, key: &str) -> BTreeSet<String> {
    let start = format!("{key} =");
    let line = source
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap();
    let pieces = line.split("{ $").skip(1);
    pieces
        .map(|piece| piece.split([' ', '}']).next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_language_says_everything_that_english_says_and_names_the_same() {
    let english = SOURCES[0].2;
    for (tag, _, source) in SOURCES {
        assert_eq!(keys(source), keys(english), "{tag}");
        for key in keys(english) {
            assert_eq!(named(source, key), named(english, key), "{tag}: {key}");
        }
    }
}

#[test]
fn no_sentence_was_left_in_english() {
    let english: Vec<_> = SOURCES[0].2.lines().collect();
    for (tag, _, source) in &SOURCES[1..] {
        let same = source.lines().filter(|line| {
            line.contains(" = ")
                && !line.starts_with("moment")
                && !line.ends_with("->")
                && english.contains(line)
        });
        assert_eq!(same.collect::<Vec<_>>(), Vec::<&str>::new(), "{tag}");
    }
}

#[test]
fn spans_follow_the_plural_rules_of_each_language() {
    for (tag, minutes, expected) in [
        ("en", 60, "1 hour"),
        ("en", 5, "5 minutes"),
        ("de", 5, "5 Minuten"),
        ("fr", 5, "5 minutes"),
        ("es", 5, "5 minutos"),
        ("pt-BR", 5, "5 minutos"),
        ("it", 5, "5 minuti"),
        ("nl", 60, "1 uur"),
        ("pl", 2, "2 minuty"),
        ("pl", 5, "5 minut"),
        ("pl", 22, "22 minuty"),
        ("pl", 12, "12 minut"),
        ("uk", 2, "2 хвилини"),
        ("uk", 5, "5 хвилин"),
        ("uk", 21, "21 хвилина"),
        ("uk", 11, "11 хвилин"),
        ("tr", 5, "5 dakika"),
        ("ja", 5, "5分"),
        ("ko", 5, "5분"),
        ("zh-Hans", 5, "5 分钟"),
        ("ar", 2, "دقيقتان"),
        ("ar", 5, "5 دقائق"),
        ("ar", 15, "15 دقيقة"),
        ("hi", 60, "1 घंटा"),
    ] {
        assert_eq!(
            wording(tag).span(Duration::from_mins(minutes)),
            expected,
            "{tag}"
        );
    }
}

/// The plural rules of CLDR for whole numbers, written down apart from the library under test.
fn plural(tag: &str, n: u64) -> &'static str {
    let (ones, rest) = (n % 10, n % 100);
    match tag {
        "pl" if n == 1 => "one",
        "uk" if ones == 1 && rest != 11 => "one",
        "pl" | "uk" if (2..=4).contains(&ones) && !(12..=14).contains(&rest) => "few",
        "pl" | "uk" => "many",
        "ar" => match (n, rest) {
            (0, _) => "zero",
            (1, _) => "one",
            (2, _) => "two",
            (_, 3..=10) => "few",
            (_, 11..) => "many",
            _ => "other",
        },
        _ if n == 1 => "one",
        _ => "other",
    }
}

#[test]
fn every_number_of_minutes_takes_the_form_of_its_plural_class() {
    for (tag, forms) in [
        ("en", &[("other", "# minutes")][..]),
        ("de", &[("other", "# Minuten")]),
        ("pl", &[("few", "# minuty"), ("many", "# minut")]),
        (
            "uk",
            &[
                ("one", "# хвилина"),
                ("few", "# хвилини"),
                ("many", "# хвилин"),
            ],
        ),
        (
            "ar",
            &[("two", "دقيقتان"), ("few", "# دقائق"), ("many", "# دقيقة")],
        ),
    ] {
        // From two minutes on and below an hour, a span is told in minutes.
        for n in 2..60 {
            let class = plural(tag, n);
            let form = forms.iter().find(|(known, _)| *known == class);
            let expected = form.unwrap().1.replace('#', &n.to_string());
            assert_eq!(
                wording(tag).span(Duration::from_mins(n)),
                expected,
                "{tag}: {n}"
            );
        }
    }
}

#[test]
fn a_promise_of_time_takes_the_case_that_its_language_asks_for() {
    for (tag, seconds, expected) in [
        ("en", 300, "within 5 minutes"),
        ("de", 300, "innerhalb von 5 Minuten"),
        ("pl", 120, "w ciągu 2 minut"),
        ("uk", 1260, "протягом 21 хвилини"),
        ("uk", 120, "протягом 2 хвилин"),
        ("ar", 120, "خلال دقيقتين"),
        ("tr", 60, "60 saniye içinde"),
    ] {
        assert_eq!(
            wording(tag).within(Duration::from_secs(seconds)),
            expected,
            "{tag}"
        );
    }
}

#[test]
fn moments_are_written_as_each_language_writes_them() {
    let at = Timestamp::from_unix_seconds(1_795_379_460);
    for (tag, expected) in [
        ("en", "22 November 2026, 20:31 UTC"),
        ("de", "22. November 2026, 20:31 UTC"),
        ("es", "22 de noviembre de 2026, 20:31 UTC"),
        ("pl", "22 listopada 2026, 20:31 UTC"),
        ("uk", "22 листопада 2026 р., 20:31 UTC"),
        ("ja", "2026年11月22日 20:31 UTC"),
        ("ar", "22 نوفمبر 2026، 20:31 UTC"),
    ] {
        assert_eq!(wording(tag).moment(at), expected);
    }
}

#[test]
fn the_language_is_the_wanted_one_then_the_default_then_english() {
    let settings = |default: &str| Settings {
        default_language: Language::parse(default).unwrap(),
        ..Settings::default()
    };
    let of = |wanted: &str, default: &str| {
        Wording::of(&Languages::parse(wanted), &settings(default))
            .language()
            .to_string()
    };
    assert_eq!(of("sv, de-AT;q=0.5", "fr"), "de");
    assert_eq!(of("sv", "fr-CA"), "fr");
    assert_eq!(of("", "pt"), "pt-BR");
    assert_eq!(of("", "sv"), "en");
}

#[test]
fn a_wording_that_is_missing_or_lacks_a_value_is_an_error() {
    let english = wording("en");
    assert!(english.say("no-such-key", &FluentArgs::new()).is_err());
    let error = english
        .say("signin-heading", &FluentArgs::new())
        .unwrap_err();
    assert!(error.to_string().contains("signin-heading"), "{error}");
}

#[test]
fn only_what_names_nothing_is_plain() {
    let english = wording("en");
    assert_eq!(english.plain("signin-heading"), None);
    assert_eq!(english.plain("no-such-key"), None);
    let said = english.say("signin-button", &FluentArgs::new()).unwrap();
    assert_eq!(english.plain("signin-button"), Some(said.as_str()));
}
