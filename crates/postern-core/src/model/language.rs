use std::cmp::Ordering;
use std::fmt;

use icu_locale::{LanguageIdentifier, LocaleDirectionality, LocaleExpander};

/// A language as BCP 47 names it (RFC 5646): language, script, region. Variants and extensions
/// are passed over: no wording of ours depends on them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Language {
    named: LanguageIdentifier,
    /// With the script and region that its readers most likely mean.
    likely: LanguageIdentifier,
}

impl Language {
    /// The longest tag that is read, in bytes: that of RFC 5646 §4.4.1.
    const MAX_BYTES: usize = 35;

    /// Reads a tag; `_` is taken for `-`, as in `pt_BR`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > Self::MAX_BYTES {
            return None;
        }
        let known = text.split(['-', '_']).enumerate().take_while(|(at, part)| {
            let extension = *at > 0 && part.len() == 1;
            let variant = *at > 0 && part.len() > 4;
            !extension && !variant
        });
        let kept: Vec<_> = known.map(|(_, part)| part).collect();
        let named: LanguageIdentifier = kept.join("-").parse().ok()?;
        // The grammar has room for languages of five letters and more; none was ever registered.
        if !(2..=3).contains(&named.language.as_str().len()) || named.language.is_unknown() {
            return None;
        }
        let mut likely = named.clone();
        LocaleExpander::new_extended().maximize(&mut likely);
        Some(Self { named, likely })
    }

    /// Whether its script runs from right to left.
    pub fn is_rtl(&self) -> bool {
        LocaleDirectionality::new_extended().is_right_to_left(&self.named)
    }

    /// How well a text in this language serves a reader who asked for `wanted`: a higher number is
    /// better, 0 is not at all. Another region of the same language and script still serves
    /// (`pt-PT`, `pt-BR`); another script does not (`zh-Hant`, `zh-Hans`).
    fn serves(&self, wanted: &Self) -> u8 {
        if self.named == wanted.named {
            return 4;
        }
        let (mine, asked) = (&self.likely, &wanted.likely);
        if mine.language != asked.language || mine.script != asked.script {
            return 0;
        }
        match (mine.region == asked.region, self.named.region.is_none()) {
            (true, _) => 3,
            (false, true) => 2,
            (false, false) => 1,
        }
    }
}

/// Alphabetical, by language, script and region.
impl Ord for Language {
    fn cmp(&self, other: &Self) -> Ordering {
        self.named.total_cmp(&other.named)
    }
}

impl PartialOrd for Language {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.named.fmt(f)
    }
}

/// What a person wants to read, best first; at most ten languages, often none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Languages(Vec<Language>);

impl Languages {
    /// How many are kept.
    const MAX: usize = 10;
    /// Entries of a list that are looked at.
    const MAX_ENTRIES: usize = 40;

    /// Reads one tag, or a list with weights as `Accept-Language` writes it (RFC 9110 §12.5.4).
    /// Whatever does not read, and `*`, is passed over: a preference is no reason to refuse a call.
    pub fn parse(text: &str) -> Self {
        let mut found: Vec<(Language, u16)> = text
            .split(',')
            .take(Self::MAX_ENTRIES)
            .filter_map(weighted)
            .filter(|(_, weight)| *weight > 0)
            .collect();
        found.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        found.truncate(Self::MAX);
        Self(found.into_iter().map(|(language, _)| language).collect())
    }

    /// These, and after them `others`.
    #[must_use]
    pub fn then(&self, others: &Self) -> Self {
        Self(self.iter().chain(others.iter()).cloned().collect())
    }

    /// Best first.
    pub fn iter(&self) -> impl Iterator<Item = &Language> {
        self.0.iter()
    }

    /// Whether nothing is preferred.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of `available`, the one that serves the first language that is served at all.
    pub fn choose<'a>(&self, available: &'a [Language]) -> Option<&'a Language> {
        self.0.iter().find_map(|wanted| wanted.best_of(available))
    }
}

impl Language {
    /// Of `available`, the one that serves a reader of this language best, if any does; of equals
    /// the first.
    pub fn best_of<'a>(&self, available: &'a [Self]) -> Option<&'a Self> {
        let scored = available.iter().map(|known| (known.serves(self), known));
        let best = scored
            .filter(|(score, _)| *score > 0)
            .reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, language)| language)
    }
}

/// As `Accept-Language` writes it, without weights: [`Languages::parse`] reads it back.
impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, language) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            write!(f, "{comma}{language}")?;
        }
        Ok(())
    }
}

/// A language and its weight in thousandths.
fn weighted(entry: &str) -> Option<(Language, u16)> {
    let (tag, weight) = match entry.split_once(';') {
        Some((tag, weight)) => (tag, thousandths(weight)?),
        None => (entry, 1000),
    };
    Some((Language::parse(tag.trim())?, weight))
}

fn thousandths(parameter: &str) -> Option<u16> {
    let text = parameter.trim();
    let number = text
        .strip_prefix("q=")
        .or_else(|| text.strip_prefix("Q="))?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    let whole: u16 = whole.parse().ok().filter(|whole| *whole <= 1)?;
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{rest:0<3}").parse().ok()?;
    Some((whole * 1000 + part).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(wanted: &str, available: &[&str]) -> Option<String> {
        let available: Vec<_> = available
            .iter()
            .filter_map(|tag| Language::parse(tag))
            .collect();
        Languages::parse(wanted)
            .choose(&available)
            .map(ToString::to_string)
    }

    #[test]
    fn a_region_falls_back_to_its_language_and_a_language_to_its_region() {
        let built_in = ["en", "de", "pt-BR", "zh-Hans", "ar"];
        for (wanted, expected) in [
            ("de-AT", Some("de")),
            ("de_CH.UTF-8", Some("de")),
            ("pt", Some("pt-BR")),
            ("pt-PT", Some("pt-BR")),
            ("zh-CN", Some("zh-Hans")),
            ("zh", Some("zh-Hans")),
            ("ar-EG", Some("ar")),
            ("DE-de-1996", Some("de")),
            ("de-u-co-phonebk", Some("de")),
            ("sv", None),
        ] {
            assert_eq!(chosen(wanted, &built_in).as_deref(), expected, "{wanted}");
        }
    }

    #[test]
    fn a_word_is_no_language() {
        for word in ["klingon", "german", "und", "-de"] {
            assert_eq!(Language::parse(word), None, "{word}");
        }
        assert!(Language::parse("tlh").is_some());
    }

    #[test]
    fn another_script_is_another_writing() {
        assert_eq!(chosen("zh-TW", &["zh-Hans"]), None);
        assert_eq!(
            chosen("zh-Hant, en;q=0.5", &["zh-Hans", "en"]).as_deref(),
            Some("en")
        );
        assert_eq!(chosen("sr-Latn", &["sr"]), None);
    }

    #[test]
    fn the_nearest_of_several_regions_is_taken() {
        let available = ["pt-BR", "pt", "pt-PT"];
        assert_eq!(chosen("pt-PT", &available).as_deref(), Some("pt-PT"));
        assert_eq!(chosen("pt-AO", &available).as_deref(), Some("pt"));
        assert_eq!(
            chosen("de-AT", &["de-CH", "de-AT", "de"]).as_deref(),
            Some("de-AT")
        );
    }

    #[test]
    fn weights_order_a_list_and_zero_excludes() {
        let order = |text: &str| Languages::parse(text).to_string();
        assert_eq!(order("fr;q=0.3, de ;q=0.8,en"), "en,de,fr");
        assert_eq!(order("fr;q=0, *, de;q=0.001"), "de");
        assert_eq!(order("pt_BR"), "pt-BR");
        assert_eq!(order("fr, de"), "fr,de");
    }

    #[test]
    fn what_does_not_read_is_passed_over_and_a_flood_is_cut() {
        for odd in [
            "",
            "*",
            "x",
            "é",
            "de;q=2",
            "de;q=abc",
            "1234567890",
            "a b",
            &"x".repeat(99),
        ] {
            assert!(Languages::parse(odd).is_empty(), "{odd:?}");
        }
        let flood = (0..200).map(|_| "de").collect::<Vec<_>>().join(",");
        assert_eq!(Languages::parse(&flood).iter().count(), 10);
    }

    #[test]
    fn a_list_reads_back_as_it_is_written() {
        let list = Languages::parse("zh-hant-tw, EN-gb;q=0.9");
        assert_eq!(list.to_string(), "zh-Hant-TW,en-GB");
        assert_eq!(Languages::parse(&list.to_string()), list);
    }

    #[test]
    fn arabic_runs_from_right_to_left() {
        let rtl = |tag| Language::parse(tag).unwrap().is_rtl();
        assert!(rtl("ar") && rtl("he-IL") && !rtl("en") && !rtl("ja"));
    }
}
